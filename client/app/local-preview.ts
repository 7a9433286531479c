/**
 * The lobby's camera picture and microphone sound before joining: asks for devices, lists them, switches them,
 * and turns failures into sentences. Everything stops when the host goes away.
 */
import type { ReactiveController, ReactiveControllerHost } from "lit";
import { type DeviceKind, deviceProblem, INSECURE_PAGE } from "./device-problems.ts";

export interface DeviceList {
  cameras: MediaDeviceInfo[];
  microphones: MediaDeviceInfo[];
  speakers: MediaDeviceInfo[];
}

interface Capture {
  track: MediaStreamTrack | undefined;
  problem: string;
  /** Grows with each request, so that a late answer to an old one is thrown away. */
  turn: number;
}

const PICTURE: MediaTrackConstraints = { width: { ideal: 1280 }, height: { ideal: 720 } };

export class LocalPreview implements ReactiveController {
  devices: DeviceList = { cameras: [], microphones: [], speakers: [] };
  #host: ReactiveControllerHost;
  #captures: Record<DeviceKind, Capture> = {
    camera: { track: undefined, problem: "", turn: 0 },
    microphone: { track: undefined, problem: "", turn: 0 },
  };
  #onDeviceChange = () => void this.#list();

  constructor(host: ReactiveControllerHost) {
    this.#host = host;
    host.addController(this);
  }

  hostConnected(): void {
    navigator.mediaDevices?.addEventListener("devicechange", this.#onDeviceChange);
  }

  hostDisconnected(): void {
    navigator.mediaDevices?.removeEventListener("devicechange", this.#onDeviceChange);
    this.stop("camera");
    this.stop("microphone");
  }

  track(kind: DeviceKind): MediaStreamTrack | undefined {
    return this.#captures[kind].track;
  }

  /** Sentence, empty when all is well. */
  problem(kind: DeviceKind): string {
    return this.#captures[kind].problem;
  }

  /** Starts or switches one device; "" is the default one. */
  async start(kind: DeviceKind, deviceId: string): Promise<void> {
    this.stop(kind);
    const capture = this.#captures[kind];
    const turn = capture.turn;
    if (navigator.mediaDevices === undefined) {
      capture.problem = INSECURE_PAGE;
      this.#host.requestUpdate();
      return;
    }
    try {
      const track = await open(kind, deviceId);
      if (turn !== capture.turn) return track.stop();
      capture.track = track;
      track.addEventListener("ended", () => this.#ended(kind, track), { once: true });
    } catch (error) {
      if (turn === capture.turn) capture.problem = deviceProblem(kind, error);
    }
    await this.#list();
  }

  stop(kind: DeviceKind): void {
    const capture = this.#captures[kind];
    capture.turn += 1;
    capture.track?.stop();
    capture.track = undefined;
    capture.problem = "";
    this.#host.requestUpdate();
  }

  #ended(kind: DeviceKind, track: MediaStreamTrack): void {
    const capture = this.#captures[kind];
    if (capture.track !== track) return;
    capture.track = undefined;
    capture.problem = `The ${kind} went away. Pick another one, or join without it.`;
    this.#host.requestUpdate();
  }

  async #list(): Promise<void> {
    const all = (await navigator.mediaDevices?.enumerateDevices().catch(() => [])) ?? [];
    const of = (kind: MediaDeviceKind) =>
      all.filter((device) => device.kind === kind && device.deviceId !== "");
    this.devices = { cameras: of("videoinput"), microphones: of("audioinput"), speakers: of("audiooutput") };
    this.#host.requestUpdate();
  }
}

/** A remembered device that is gone falls back to the default one. */
async function open(kind: DeviceKind, deviceId: string): Promise<MediaStreamTrack> {
  const ask = async (exact: MediaTrackConstraints): Promise<MediaStreamTrack> => {
    const stream = await navigator.mediaDevices.getUserMedia(
      kind === "camera"
        ? { video: { ...PICTURE, ...exact } }
        : { audio: { ...exact, echoCancellation: true } },
    );
    const track = stream.getTracks()[0];
    if (track === undefined) throw new DOMException("no track", "NotFoundError");
    return track;
  };
  if (deviceId === "") return ask({});
  try {
    return await ask({ deviceId: { exact: deviceId } });
  } catch (error) {
    if (!(error instanceof Error) || error.name !== "OverconstrainedError") throw error;
    return ask({});
  }
}
