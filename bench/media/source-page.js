/**
 * Runs in a publishing page before its own scripts: `getUserMedia` gives a camera whose pictures carry the wall clock
 * as a barcode, and a microphone with tone bursts whose wall clock is known. Reads `globalThis.benchSettings`, leaves
 * `globalThis.benchSource`.
 *
 * Picture: 640x360 at 29.97 fps, a seeded texture that pans, so that an encoder has its usual work. Its first 16 lines
 * are 40 blocks of 16 pixels: white, black, 26 bits of Date.now(), 4 bits of source number, 8 bits of check.
 * Sound: a quiet 300 Hz tone without end (any silence is a gap) and every 450-650 ms a loud burst of 30 ms, whose
 * frequency is its number modulo 8. Source 2 is 100 Hz higher, and so on, so that a mix of sources can be told apart.
 */
(() => {
  const { seed, sourceNumber } = globalThis.benchSettings;
  const WIDTH = 640;
  const HEIGHT = 360;
  /** 29.97 fps: against a 60 Hz display the phase moves through all of a refresh in 17 s, so no run is lucky. */
  const FRAME_MS = 1001 / 30;
  const TEXTURE_WIDTH = 1024;
  /** More late than this (a stalled page), and the schedule starts anew instead of catching up. */
  const STALL_MS = 200;

  function makeRandom(start) {
    let state = start >>> 0;
    return () => {
      state = (state + 0x6d2b79f5) >>> 0;
      let mixed = Math.imul(state ^ (state >>> 15), state | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    };
  }

  /** Blobs and edges of several sizes, so that it compresses like a room and not like noise. */
  function makeTexture(width, height, low, high) {
    const random = makeRandom(seed + width);
    const texture = new Uint8Array(width * height).fill((low + high) >> 1);
    for (let blob = 0; blob < 700; blob++) {
      const size = 6 + Math.floor(70 * random() ** 3);
      const value = low + Math.floor((high - low) * random());
      const left = Math.floor(random() * width);
      const top = Math.floor(random() * height);
      for (let y = top; y < Math.min(height, top + size); y++) {
        for (let x = left; x < left + size; x++) texture[y * width + (x % width)] = value + ((x * y) & 3);
      }
    }
    return texture;
  }

  const luma = makeTexture(TEXTURE_WIDTH, HEIGHT, 40, 210);
  const chroma = makeTexture(TEXTURE_WIDTH / 2, HEIGHT / 2, 100, 156);
  const picture = new Uint8Array((WIDTH * HEIGHT * 3) / 2);

  function copyPanned(texture, textureWidth, at, width, height, offset) {
    const first = Math.min(width, textureWidth - offset);
    for (let y = 0; y < height; y++) {
      const row = y * textureWidth;
      picture.set(texture.subarray(row + offset, row + offset + first), at + y * width);
      if (first < width) picture.set(texture.subarray(row, row + width - first), at + y * width + first);
    }
  }

  function stamp(wallMs) {
    const time = wallMs % 2 ** 26;
    const check = (time ^ (time >>> 8) ^ (time >>> 16) ^ (time >>> 24) ^ (sourceNumber * 37) ^ 0x5a) & 0xff;
    const bits = [1, 0];
    for (let bit = 25; bit >= 0; bit--) bits.push((time >>> bit) & 1);
    for (let bit = 3; bit >= 0; bit--) bits.push((sourceNumber >>> bit) & 1);
    for (let bit = 7; bit >= 0; bit--) bits.push((check >>> bit) & 1);
    for (let y = 0; y < 16; y++) {
      bits.forEach((bit, block) => {
        picture.fill(bit ? 225 : 25, y * WIDTH + block * 16, y * WIDTH + block * 16 + 16);
      });
    }
    // No colour under the blocks: they are read through RGB.
    const chromaAt = WIDTH * HEIGHT;
    picture.fill(128, chromaAt, chromaAt + 8 * (WIDTH / 2));
    picture.fill(128, chromaAt + (WIDTH * HEIGHT) / 4, chromaAt + (WIDTH * HEIGHT) / 4 + 8 * (WIDTH / 2));
  }

  const cameras = new Set();
  /** Wall clock ms of each picture. */
  const stamps = [];
  let pictures = 0;
  let nextMs = 0;

  function nextPicture() {
    const pan = (pictures * 3) % (TEXTURE_WIDTH / 2);
    copyPanned(luma, TEXTURE_WIDTH, 0, WIDTH, HEIGHT, pan * 2);
    copyPanned(chroma, TEXTURE_WIDTH / 2, WIDTH * HEIGHT, WIDTH / 2, HEIGHT / 2, pan);
    copyPanned(
      chroma,
      TEXTURE_WIDTH / 2,
      (WIDTH * HEIGHT * 5) / 4,
      WIDTH / 2,
      HEIGHT / 2,
      (pan * 5) % (TEXTURE_WIDTH / 2),
    );
    const wallMs = Date.now();
    stamp(wallMs);
    stamps.push(wallMs);
    for (const camera of cameras) {
      if (camera.track.readyState === "ended") {
        cameras.delete(camera);
        continue;
      }
      const frame = new VideoFrame(picture, {
        format: "I420",
        codedWidth: WIDTH,
        codedHeight: HEIGHT,
        timestamp: Math.round(performance.now() * 1000),
        colorSpace: { primaries: "bt709", transfer: "bt709", matrix: "bt709", fullRange: false },
      });
      camera.writer.write(frame).catch(() => cameras.delete(camera));
    }
    pictures += 1;
    const nowMs = performance.now();
    nextMs = nowMs - nextMs > STALL_MS ? nowMs + FRAME_MS : nextMs + FRAME_MS;
    if (cameras.size > 0) setTimeout(nextPicture, Math.max(0, nextMs - nowMs));
  }

  function openCamera() {
    const track = new MediaStreamTrackGenerator({ kind: "video" });
    track.getSettings = () => ({ width: WIDTH, height: HEIGHT, frameRate: 30, deviceId: "bench-camera" });
    track.applyConstraints = async () => {};
    cameras.add({ track, writer: track.writable.getWriter() });
    if (cameras.size === 1) {
      nextMs = performance.now();
      nextPicture();
    }
    return track;
  }

  const worklet = `
    const HIGHER = ${100 * Math.max(0, sourceNumber - 1)};
    const TONES = [600, 900, 1200, 1500, 1800, 2100, 2400, 2700].map((hertz) => hertz + HIGHER);
    registerProcessor("bench-source", class extends AudioWorkletProcessor {
      next = sampleRate / 2; left = 0; count = 0; random = (${makeRandom.toString()})(${seed});
      process(_inputs, outputs) {
        const out = outputs[0][0];
        if (currentFrame >= this.next && this.left <= 0) {
          this.left = Math.round(sampleRate * 0.03);
          this.start = currentFrame;
          this.next = currentFrame + sampleRate * (0.45 + 0.2 * this.random());
          this.port.postMessage([this.count % 8, Date.now()]);
          this.count += 1;
        }
        const hertz = TONES[(this.count + 7) % 8];
        for (let i = 0; i < out.length; i++, this.left--) {
          const at = (currentFrame + i) / sampleRate;
          out[i] = 0.05 * Math.sin(2 * Math.PI * (300 + HIGHER) * at);
          if (this.left > 0) out[i] += 0.6 * Math.sin(2 * Math.PI * hertz * (currentFrame + i - this.start) / sampleRate);
        }
        return true;
      }
    });`;
  let sound;

  async function startSound() {
    const context = new AudioContext({ sampleRate: 48_000, latencyHint: "interactive" });
    await context.audioWorklet.addModule(
      URL.createObjectURL(new Blob([worklet], { type: "text/javascript" })),
    );
    const node = new AudioWorkletNode(context, "bench-source", {
      numberOfInputs: 0,
      outputChannelCount: [1],
    });
    node.port.onmessage = ({ data }) => bursts.push(data);
    await context.resume();
    return { context, node };
  }

  async function openMicrophone() {
    sound ??= startSound();
    const { context, node } = await sound;
    const destination = new MediaStreamAudioDestinationNode(context, { channelCount: 1 });
    node.connect(destination);
    return destination.stream.getAudioTracks()[0];
  }

  /** [number modulo 8, wall clock ms] of each burst, oldest first. */
  const bursts = [];
  globalThis.benchSource = { bursts, stamps };
  MediaDevices.prototype.getUserMedia = async (constraints = {}) => {
    const stream = new MediaStream();
    if (constraints.audio) stream.addTrack(await openMicrophone());
    if (constraints.video) stream.addTrack(openCamera());
    return stream;
  };
})();
