/** Remote participants and tracks as the application holds them; their media lives in the worker. */
import type { Source } from "../../core/wire/room-model.ts";
import type { RemoteTrackInfo } from "../worker/worker-messages.ts";
import type { RemoteParticipant, RemoteTrack } from "./api.ts";
import type { WorkerPort } from "./worker-port.ts";

let nextCanvasId = 1;

interface Attached {
  canvasId: number;
  observer: ResizeObserver | undefined;
}

export class LiveRemoteTrack implements RemoteTrack {
  readonly handle: number;
  readonly kind: "audio" | "video";
  readonly source: Source;
  readonly participant: LiveRemoteParticipant;
  trackId: number;
  muted: boolean;
  codec: string;
  problem: string | undefined;
  width = 0;
  height = 0;
  readonly #port: WorkerPort;
  readonly #attached = new Map<HTMLElement, Attached>();

  constructor(info: RemoteTrackInfo, participant: LiveRemoteParticipant, port: WorkerPort) {
    this.handle = info.handle;
    this.trackId = info.trackId;
    this.kind = info.kind;
    this.source = info.source;
    this.muted = info.muted;
    this.codec = info.codec;
    this.participant = participant;
    this.#port = port;
  }

  attach(): HTMLElement {
    // Sound plays from one graph for the whole room; the element only stands for it.
    if (this.kind === "audio") return document.createElement("audio");
    const element = document.createElement("canvas");
    element.width = this.width || 640;
    element.height = this.height || 360;
    element.style.objectFit = "contain";
    const canvasId = nextCanvasId++;
    const canvas = element.transferControlToOffscreen();
    this.#port.post({ type: "canvas", handle: this.handle, canvasId, canvas }, [canvas]);
    this.#attached.set(element, { canvasId, observer: this.#observe(element, canvasId) });
    return element;
  }

  detach(element: HTMLElement): void {
    const attached = this.#attached.get(element);
    if (attached === undefined) return;
    attached.observer?.disconnect();
    this.#attached.delete(element);
    this.#port.post({ type: "canvas-gone", handle: this.handle, canvasId: attached.canvasId });
  }

  async subscribe(): Promise<void> {
    await this.#port.request({ operation: "subscribe", handle: this.handle });
  }

  async unsubscribe(): Promise<void> {
    await this.#port.request({ operation: "unsubscribe", handle: this.handle });
  }

  setVolume(volume: number): void {
    const bounded = Math.min(2, Math.max(0, volume));
    this.#port.post({ type: "volume", handle: this.handle, volume: bounded });
  }

  async mute(): Promise<void> {
    await this.#port.request({ operation: "mute-remote", handle: this.handle });
  }

  /** The track is gone: nothing will be drawn any more. */
  release(): void {
    for (const element of [...this.#attached.keys()]) this.detach(element);
  }

  #observe(element: HTMLElement, canvasId: number): ResizeObserver | undefined {
    if (typeof ResizeObserver === "undefined") return undefined;
    const observer = new ResizeObserver(([entry]) => {
      if (entry === undefined) return;
      const { width, height } = entry.contentRect;
      const ratio = globalThis.devicePixelRatio || 1;
      this.#port.post({
        type: "canvas-size",
        handle: this.handle,
        canvasId,
        width: width * ratio,
        height: height * ratio,
      });
    });
    observer.observe(element);
    return observer;
  }
}

export class LiveRemoteParticipant implements RemoteParticipant {
  readonly identity: string;
  readonly name: string;
  readonly admin: boolean;
  readonly byHandle = new Map<number, LiveRemoteTrack>();
  /** By the relay's track id, which reconnects may change. */
  tracks: ReadonlyMap<number, LiveRemoteTrack> = new Map();
  speaking = false;
  readonly #port: WorkerPort;

  constructor(identity: string, name: string, admin: boolean, port: WorkerPort) {
    this.identity = identity;
    this.name = name;
    this.admin = admin;
    this.#port = port;
  }

  /** Call after each change of `byHandle` or of an id in it. */
  refresh(): void {
    this.tracks = new Map([...this.byHandle.values()].map((track) => [track.trackId, track]));
  }

  async remove(): Promise<void> {
    await this.#port.request({ operation: "remove", identity: this.identity });
  }
}
