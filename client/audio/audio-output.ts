/** The page's end of sound: AudioContext, the playback worklet and the choice of speaker. */

import workletUrl from "./playback-worklet.ts?worker&url";
import { newSharedRing, SAMPLE_RATE_HZ, type WorkletStart } from "./speaker-ring.ts";

/** The worker's end of the speaker. */
export interface SpeakerEnd {
  port: MessagePort;
  shared: SharedArrayBuffer | undefined;
}

interface ContextWithSink extends AudioContext {
  setSinkId?(id: string): Promise<void>;
}

/** Seconds of latency asked for: none, so that the browser takes the smallest buffer its device can do. */
const LATENCY_HINT_S = 0;

/**
 * Whether `outputLatency` may be read. Firefox waits in it for its sound server, and holds a lock meanwhile that the sound itself needs:
 * with PulseAudio both wait for ever now and then, and the page with them. It is told by the other thing that its contexts lack.
 */
const TELLS_LATENCY = typeof AudioContext !== "undefined" && "setSinkId" in AudioContext.prototype;
/** Where it may not: two of the buffers that sound servers commonly take. */
const ASSUMED_LATENCY_US = 40_000;

export class AudioOutput {
  readonly #context: ContextWithSink;
  #node: AudioWorkletNode | undefined;

  constructor() {
    this.#context = new AudioContext({ sampleRate: SAMPLE_RATE_HZ, latencyHint: LATENCY_HINT_S });
  }

  /** Loads the worklet. Rejects where the browser cannot; the room then has no sound. */
  async start(): Promise<SpeakerEnd> {
    await this.#context.audioWorklet.addModule(workletUrl);
    const node = new AudioWorkletNode(this.#context, "tributary-playback", {
      numberOfInputs: 0,
      outputChannelCount: [2],
    });
    this.#node = node;
    node.connect(this.#context.destination);
    const shared = globalThis.crossOriginIsolated ? newSharedRing() : undefined;
    const channel = new MessageChannel();
    const start: WorkletStart = { port: channel.port1, shared };
    node.port.postMessage(start, [channel.port1]);
    // Not awaited: without a gesture it stays pending until there is one.
    this.#context.resume().catch(() => undefined);
    return { port: channel.port2, shared };
  }

  /** From the worklet to the ear as far as the browser knows, microseconds. */
  get latencyUs(): number {
    if (!TELLS_LATENCY) return ASSUMED_LATENCY_US;
    return Math.max(this.#context.outputLatency ?? 0, this.#context.baseLatency ?? 0) * 1e6;
  }

  get closed(): boolean {
    return this.#context.state === "closed";
  }

  get running(): boolean {
    return this.#context.state === "running";
  }

  async resume(): Promise<void> {
    await this.#context.resume();
  }

  /** Rejects with TypeError where the browser cannot choose speakers. */
  async setSpeaker(deviceId: string): Promise<void> {
    if (this.#context.setSinkId === undefined) throw new TypeError("this browser cannot choose a speaker");
    await this.#context.setSinkId(deviceId === "default" ? "" : deviceId);
  }

  async close(): Promise<void> {
    this.#node?.disconnect();
    if (this.#context.state !== "closed") await this.#context.close();
  }
}
