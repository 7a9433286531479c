/** AudioWorklet that plays the speaker ring and reports to the worker what it has played, which drives the mixing. */
import { type PlayedReport, REPORT_SAMPLES, SampleRing, type WorkletStart } from "./speaker-ring.ts";

class PlaybackProcessor extends AudioWorkletProcessor {
  #ring: SampleRing | undefined;
  #workerPort: MessagePort | undefined;
  #sinceReport = 0;
  readonly #report: PlayedReport = { readPosition: 0, starvedSamples: 0 };

  constructor() {
    super();
    this.port.onmessage = (event: MessageEvent<WorkletStart>) => {
      const { port, shared } = event.data;
      const ring = shared === undefined ? SampleRing.own() : new SampleRing(shared);
      this.#ring = ring;
      this.#workerPort = port;
      // Without shared memory the samples come here; what does not fit is dropped by the ring's bound.
      port.onmessage = (samples: MessageEvent<Float32Array>) => ring.write(samples.data);
    };
  }

  override process(_inputs: Float32Array[][], outputs: Float32Array[][]): boolean {
    const channels = outputs[0];
    const first = channels?.[0];
    if (channels === undefined || first === undefined || this.#ring === undefined) return true;
    const count = this.#ring.read(first);
    if (count < first.length) {
      first.fill(0, count);
      this.#report.starvedSamples += first.length - count;
    }
    for (let i = 1; i < channels.length; i++) channels[i]!.set(first);
    this.#sinceReport += first.length;
    if (this.#sinceReport >= REPORT_SAMPLES) {
      this.#sinceReport = 0;
      this.#report.readPosition = this.#ring.readPosition;
      this.#workerPort?.postMessage(this.#report);
    }
    return true;
  }
}

registerProcessor("tributary-playback", PlaybackProcessor);
