/** How loud an <audio> is now, where the browser lets a page look without standing in the way of the sound (Chromium). */

const SAMPLES = 1024;
/** What counts as silence: decibels below full scale. */
const FLOOR_DB = -54;

type CapturableAudio = HTMLAudioElement & { captureStream?: () => MediaStream };

export class SoundLevel {
  readonly #context: AudioContext;
  readonly #analyser: AnalyserNode;
  readonly #samples = new Float32Array(SAMPLES);
  readonly #stream: MediaStream;
  #source: MediaStreamAudioSourceNode | undefined;

  /** Undefined where the browser would play through us, or not at all: Firefox and Safari. Call once something plays. */
  static of(audio: CapturableAudio): SoundLevel | undefined {
    return audio.captureStream === undefined ? undefined : new SoundLevel(audio.captureStream());
  }

  private constructor(stream: MediaStream) {
    this.#stream = stream;
    this.#context = new AudioContext();
    this.#analyser = new AnalyserNode(this.#context, { fftSize: SAMPLES });
    stream.addEventListener("addtrack", this.#connect);
    this.#connect();
  }

  /** 0 (silence) to 1. */
  now(): number {
    this.#analyser.getFloatTimeDomainData(this.#samples);
    let sum = 0;
    for (const sample of this.#samples) sum += sample * sample;
    const decibels = 10 * Math.log10(sum / SAMPLES + 1e-12);
    return Math.min(1, Math.max(0, 1 - decibels / FLOOR_DB));
  }

  close(): void {
    this.#stream.removeEventListener("addtrack", this.#connect);
    this.#source?.disconnect();
    if (this.#context.state !== "closed") void this.#context.close();
  }

  #connect = (): void => {
    if (this.#stream.getAudioTracks().length === 0) return;
    this.#source?.disconnect();
    this.#source = this.#context.createMediaStreamSource(this.#stream);
    this.#source.connect(this.#analyser);
  };
}
