/**
 * Plays a continuous MP3 in an <audio>: starts at the moment that it is on the air, comes back by itself after a loss, and knows
 * whether there is anything to hear before somebody presses play.
 */
import type { ReactiveController, ReactiveControllerHost } from "lit";
import { retryDelayMs } from "./retry-delay.ts";

export type SoundState =
  /** It is not known yet whether anything is on the air. */
  | "looking"
  /** On the air; nobody has pressed play. */
  | "ready"
  | "off-air"
  /** The server takes no more listeners; tried again by itself. */
  | "full"
  | "starting"
  | "playing"
  /** It was playing, or should; tried again by itself. */
  | "reconnecting";

const PULSE_MS = 1_000;
/** Playing, and the position has not moved for so long: the connection is as good as lost. */
const SILENT_PULSES = 8;
/** While nothing plays: how often to look whether something is on the air. */
const LOOK_MS = 12_000;

export class LiveSound implements ReactiveController {
  state: SoundState = "looking";
  readonly #host: ReactiveControllerHost;
  #audio: HTMLAudioElement | undefined;
  #url = "";
  #wanted = false;
  #run = new AbortController();
  #timer: number | undefined;
  #pulse: number | undefined;
  #tries = 0;
  #lastPositionS = 0;
  #silentPulses = 0;

  constructor(host: ReactiveControllerHost) {
    this.#host = host;
    host.addController(this);
  }

  hostDisconnected(): void {
    this.stop();
    this.#run.abort();
    window.clearTimeout(this.#timer);
  }

  /** Follows the stream at `url` from now on; it plays once `play` is called. */
  attach(audio: HTMLAudioElement, url: string): void {
    this.stop();
    this.#run.abort();
    this.#run = new AbortController();
    this.#audio = audio;
    this.#url = url;
    const { signal } = this.#run;
    audio.addEventListener("playing", this.#onPlaying, { signal });
    audio.addEventListener("error", this.#onLost, { signal });
    audio.addEventListener("ended", this.#onLost, { signal });
    void this.#look();
  }

  /** Play has been pressed, and stop has not since. */
  get wanted(): boolean {
    return this.#wanted;
  }

  /** From a tap or key: browsers let no page sound by itself. */
  play(): void {
    this.#wanted = true;
    this.#tries = 0;
    this.#set("starting");
    this.#connect();
  }

  stop(): void {
    this.#wanted = false;
    window.clearInterval(this.#pulse);
    window.clearTimeout(this.#timer);
    this.#disconnect();
    if (this.state !== "looking" && this.state !== "off-air") this.#set("ready");
    this.#lookLater(LOOK_MS);
  }

  #connect(): void {
    const audio = this.#audio;
    if (audio === undefined) return;
    window.clearTimeout(this.#timer);
    window.clearInterval(this.#pulse);
    this.#silentPulses = 0;
    this.#lastPositionS = 0;
    this.#pulse = window.setInterval(this.#onPulse, PULSE_MS);
    audio.src = this.#url;
    audio.play().catch((error: unknown) => {
      // A stream that is missing or broken is told by the event "error" as well, and by that alone dealt with.
      if (!(error instanceof DOMException && error.name === "NotAllowedError")) return;
      this.stop();
    });
  }

  /** What was received and not played is let go of: the next start is live again. */
  #disconnect(): void {
    const audio = this.#audio;
    if (audio === undefined || !audio.hasAttribute("src")) return;
    audio.removeAttribute("src");
    audio.load();
  }

  #onPlaying = (): void => {
    if (!this.#wanted) return;
    this.#tries = 0;
    this.#silentPulses = 0;
    this.#set("playing");
  };

  #onLost = (): void => {
    if (!this.#wanted) return;
    window.clearInterval(this.#pulse);
    this.#disconnect();
    if (this.state !== "off-air") this.#set("reconnecting");
    this.#lookLater(retryDelayMs(++this.#tries, Math.random()));
  };

  #onPulse = (): void => {
    const positionS = this.#audio?.currentTime ?? 0;
    this.#silentPulses = positionS === this.#lastPositionS ? this.#silentPulses + 1 : 0;
    this.#lastPositionS = positionS;
    if (this.#silentPulses >= SILENT_PULSES) this.#onLost();
  };

  #lookLater(delayMs: number): void {
    window.clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => void this.#look(), delayMs);
  }

  async #look(): Promise<void> {
    const { signal } = this.#run;
    let onAir: OnAir;
    try {
      onAir = await isOnAir(this.#url, signal);
    } catch {
      return; // Another stream is followed now, or none.
    }
    if (this.state === "playing" || this.state === "starting") return;
    if (onAir === "yes" && this.#wanted) {
      this.#set("reconnecting");
      return this.#connect();
    }
    const lost = this.#wanted ? "reconnecting" : "looking";
    this.#set(({ yes: "ready", no: "off-air", full: "full", unknown: lost } as const)[onAir]);
    const soon = this.#wanted || onAir === "unknown";
    this.#lookLater(soon ? retryDelayMs(++this.#tries, Math.random()) : LOOK_MS);
  }

  #set(state: SoundState): void {
    if (state === this.state) return;
    this.state = state;
    this.#host.requestUpdate();
  }
}

type OnAir = "yes" | "no" | "full" | "unknown";

/** Whether the stream answers. Reads the head of the answer and no sound. Rejects when `signal` aborts. */
async function isOnAir(url: string, signal: AbortSignal): Promise<OnAir> {
  const enough = new AbortController();
  try {
    const response = await fetch(url, {
      signal: AbortSignal.any([signal, enough.signal]),
      cache: "no-store",
    });
    if (response.status === 404 || response.status === 410) return "no";
    if (response.status === 503) return "full";
    return response.ok ? "yes" : "unknown";
  } catch (error) {
    if (signal.aborted) throw error;
    return "unknown";
  } finally {
    enough.abort();
  }
}
