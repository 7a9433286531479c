/**
 * Runs in a watching page before its own scripts: notes when which barcoded picture (see source-page.js) stands on the
 * screen, and when which tone burst is written to the speaker buffer, both by Date.now(). The page has no camera and
 * no microphone. Leaves `globalThis.benchProbe`.
 *
 * Picture: after every display refresh the first lines of each canvas and video in the page (also in open shadow
 * roots) are read, whoever drew them; a refresh (16.7 ms) is the grain. Sound: whatever is connected to an audio
 * context's destination is connected to a tap as well, and `benchListen(track)` taps a track that an element plays.
 * Both hear a sample when the output device asks for it, in pieces of about 10 ms.
 */
(() => {
  const BLOCKS = 40;
  const scratch = new OffscreenCanvas(BLOCKS * 4, 4);
  const ink = scratch.getContext("2d", { willReadFrequently: true });
  /** Elements are looked for at each refresh until a picture is found, then this often. */
  const SEARCH_EVERY = 15;
  const MAX_NOTES = 400_000;

  const probe = {
    /** [wall clock ms, capture wall clock modulo 2^26, width of the element's picture] of each new picture. */
    pictures: [],
    /** [tone 0..7, wall clock ms] of each burst heard. */
    bursts: [],
    /** Milliseconds of silence since the first sound; the source is never silent. */
    silentMs: 0,
    firstPictureMs: 0,
    firstSoundMs: 0,
    readings: 0,
    readingMs: 0,
  };
  globalThis.benchProbe = probe;
  MediaDevices.prototype.getUserMedia = () =>
    Promise.reject(new DOMException("This page only watches.", "NotFoundError"));

  /** Capture time in the barcode, or -1; `levelAt(block)` is the brightness in a block's middle. */
  function readBarcode(levelAt) {
    const white = levelAt(0);
    const black = levelAt(1);
    if (white - black < 80) return -1;
    const value = (from, to) => {
      let bits = 0;
      for (let block = from; block < to; block++)
        bits = bits * 2 + (levelAt(block) > (white + black) / 2 ? 1 : 0);
      return bits;
    };
    const time = value(2, 28);
    const check = (time ^ (time >>> 8) ^ (time >>> 16) ^ (time >>> 24) ^ (value(28, 32) * 37) ^ 0x5a) & 0xff;
    return check === value(32, 40) ? time : -1;
  }

  function readCanvas(canvas) {
    const { width, height } = canvas;
    if (!(width >= 160 && height >= 90)) return -1;
    // The middle half of the blocks' height, away from their edges.
    ink.drawImage(canvas, 0, (height * 4) / 360, width, (height * 8) / 360, 0, 0, BLOCKS * 4, 4);
    const { data } = ink.getImageData(0, 0, BLOCKS * 4, 4);
    return readBarcode((block) => {
      let sum = 0;
      for (let y = 1; y < 3; y++)
        for (let x = 1; x < 3; x++) sum += data[(y * BLOCKS * 4 + block * 4 + x) * 4 + 1];
      return sum / 4;
    });
  }

  const lines = new Uint8Array(4096 * 4 * 3);
  const shown = new WeakMap();

  /** A video's lines are copied from its frame: drawing it would convert the whole picture each time. */
  function readVideo(video, then) {
    if (!(video.videoWidth >= 160 && video.videoHeight >= 90) || video.readyState < 2) return;
    const frame = new VideoFrame(video);
    if (shown.get(video) === frame.timestamp) return frame.close();
    shown.set(video, frame.timestamp);
    const { x, y, width, height } = frame.visibleRect;
    // Even, for 4:2:0, and in the middle of the blocks.
    const line = y + 2 * Math.round((height * 8) / 360 / 2);
    frame
      .copyTo(lines, { rect: { x, y: line, width, height: 2 } })
      .then(() => then(readBarcode((block) => lines[Math.round(((block + 0.5) * width) / BLOCKS)])))
      .catch((error) => console.error("bench probe", error))
      .finally(() => frame.close());
  }

  function collect(root, into) {
    for (const element of root.querySelectorAll("*")) {
      if (element instanceof HTMLCanvasElement || element instanceof HTMLVideoElement) into.push(element);
      if (element.shadowRoot) collect(element.shadowRoot, into);
    }
    return into;
  }

  let elements = [];
  let last = -1;
  let refreshes = 0;

  function noteStamp(stamp, wallMs, width) {
    if (stamp < 0 || stamp === last) return;
    last = stamp;
    if (probe.firstPictureMs === 0) probe.firstPictureMs = wallMs;
    if (probe.pictures.length < MAX_NOTES) probe.pictures.push([wallMs, stamp, width]);
  }

  function look() {
    const wallMs = Date.now();
    const startMs = performance.now();
    if (refreshes++ % SEARCH_EVERY === 0 || probe.pictures.length === 0) elements = collect(document, []);
    for (const element of elements) {
      if (element instanceof HTMLVideoElement) {
        const { videoWidth } = element;
        readVideo(element, (stamp) => noteStamp(stamp, wallMs, videoWidth));
      } else noteStamp(readCanvas(element), wallMs, element.width);
    }
    probe.readings += 1;
    probe.readingMs += performance.now() - startMs;
  }

  // A task that follows the refresh sees everything that was drawn for it, by whichever callback.
  const afterRefresh = new MessageChannel();
  afterRefresh.port1.onmessage = look;
  const onRefresh = () => {
    afterRefresh.port2.postMessage(0);
    requestAnimationFrame(onRefresh);
  };
  requestAnimationFrame(onRefresh);

  /** Listens to samples as they come; `say(kind, value, wallMs)`. Runs in the worklet and in the worker below. */
  class Detector {
    constructor(sampleRate, say) {
      Object.assign(this, { sampleRate, say, heard: false, calm: 0, quiet: 0, silence: 0, sinceSaid: 0 });
      Object.assign(this, { measuring: 0, crossings: 0, sign: 0, onsetMs: 0 });
    }

    /** `channel` may be undefined: silence of that length. */
    feed(channel, length) {
      let peak = 0;
      for (let i = 0; i < length; i++) {
        const value = channel ? channel[i] : 0;
        const size = Math.abs(value);
        if (size > peak) peak = size;
        if (this.measuring > 0) this.measure(value, size);
        else if (size > 0.2) this.onset(value);
        else this.calm += 1;
      }
      if (peak > 0.01 && !this.heard) {
        this.heard = true;
        this.say("sound", 0, Date.now());
      }
      this.countSilence(peak, length);
    }

    onset(value) {
      if (this.calm > this.sampleRate * 0.15) {
        this.onsetMs = Date.now();
        this.measuring = Math.round(this.sampleRate * 0.02);
        this.crossings = 0;
        this.sign = Math.sign(value);
      }
      this.calm = 0;
    }

    /** The burst's frequency, from its zero crossings in 20 ms. */
    measure(value, size) {
      if (size > 0.05 && Math.sign(value) !== this.sign) {
        this.crossings += 1;
        this.sign = Math.sign(value);
      }
      this.measuring -= 1;
      if (this.measuring === 0)
        this.say("burst", Math.round((this.crossings * 25 - 600) / 300), this.onsetMs);
    }

    /** A gap counts from 5 ms on: the tone itself is below the threshold for less than half a millisecond. */
    countSilence(peak, length) {
      this.quiet = peak < 0.004 ? this.quiet + length : 0;
      if (this.heard && this.quiet > this.sampleRate * 0.005) this.silence += length;
      this.sinceSaid += length;
      if (this.silence > 0 && this.sinceSaid > this.sampleRate / 4) {
        this.say("silence", (this.silence * 1000) / this.sampleRate, 0);
        this.silence = 0;
        this.sinceSaid = 0;
      }
    }
  }

  const worklet = `
    ${Detector.toString()}
    registerProcessor("bench-tap", class extends AudioWorkletProcessor {
      detector = new Detector(sampleRate, (...note) => this.port.postMessage(note));
      process([input]) {
        this.detector.feed(input[0], input[0] ? input[0].length : 128);
        return true;
      }
    });`;
  const listener = `
    ${Detector.toString()}
    onmessage = async ({ data: readable }) => {
      let detector;
      const samples = new Float32Array(48_000);
      for await (const sound of readable) {
        detector ??= new Detector(sound.sampleRate, (...note) => postMessage(note));
        sound.copyTo(samples, { planeIndex: 0, format: "f32-planar" });
        detector.feed(samples, sound.numberOfFrames);
        sound.close();
      }
    };`;

  function take(kind, value, wallMs) {
    if (kind === "sound" && probe.firstSoundMs === 0) probe.firstSoundMs = wallMs;
    if (kind === "silence") probe.silentMs += value;
    if (kind === "burst" && probe.bursts.length < MAX_NOTES) probe.bursts.push([value, wallMs]);
  }

  /** For sound that an element plays by itself: the track's samples as the output device asks for them. */
  globalThis.benchListen = (track) => {
    const worker = new Worker(URL.createObjectURL(new Blob([listener], { type: "text/javascript" })));
    worker.onmessage = ({ data }) => take(...data);
    const { readable } = new MediaStreamTrackProcessor({ track });
    worker.postMessage(readable, [readable]);
  };

  const connect = AudioNode.prototype.connect;
  const OriginalContext = globalThis.AudioContext;
  const taps = new WeakMap();

  function openTap(context) {
    const script = URL.createObjectURL(new Blob([worklet], { type: "text/javascript" }));
    return context.audioWorklet.addModule(script).then(() => {
      const tap = new AudioWorkletNode(context, "bench-tap", {
        channelCount: 1,
        channelCountMode: "explicit",
      });
      tap.port.onmessage = ({ data }) => take(...data);
      // Only what leads to the destination is run; the tap's own output is silent.
      connect.call(tap, context.destination);
      return tap;
    });
  }

  globalThis.AudioContext = class extends OriginalContext {
    constructor(options) {
      super(options);
      taps.set(this, openTap(this));
    }
  };
  AudioNode.prototype.connect = function (target, ...rest) {
    const isSpeaker =
      target instanceof AudioDestinationNode || target instanceof MediaStreamAudioDestinationNode;
    if (isSpeaker && taps.has(this.context)) {
      taps.get(this.context).then(
        (tap) => connect.call(this, tap),
        (error) => console.error("bench tap", error),
      );
    }
    return connect.call(this, target, ...rest);
  };
})();
