/** Who is heard in a room while a page plays it: asked every few seconds, and not at all while nobody looks. */
import type { ReactiveController, ReactiveControllerHost } from "lit";
import { type NowHeard, nowHeardSchema } from "../../../core/wire/now-heard.ts";
import { askGateway } from "../gateway-request.ts";

const ASK_MS = 3_000;

export class HeardNow implements ReactiveController {
  /** Undefined: it is not known. */
  heard: NowHeard | undefined;
  readonly #host: ReactiveControllerHost;
  #path = "";
  #timer: number | undefined;
  #run = new AbortController();

  constructor(host: ReactiveControllerHost) {
    this.#host = host;
    host.addController(this);
  }

  hostConnected(): void {
    document.addEventListener("visibilitychange", this.#onLook);
  }

  hostDisconnected(): void {
    document.removeEventListener("visibilitychange", this.#onLook);
    this.follow("");
  }

  /** Asks there from now on; empty = nowhere. */
  follow(path: string): void {
    if (path === this.#path) return;
    this.#path = path;
    this.#set(undefined);
    this.#onLook();
  }

  #onLook = (): void => {
    window.clearTimeout(this.#timer);
    this.#run.abort();
    this.#run = new AbortController();
    if (this.#path !== "" && !document.hidden) void this.#ask(this.#run.signal);
  };

  async #ask(signal: AbortSignal): Promise<void> {
    try {
      this.#set(await askGateway(nowHeardSchema, { path: this.#path, token: "", signal }));
    } catch {
      if (signal.aborted) return;
      // What was said last is not true for long, and the next question comes by itself.
      this.#set(undefined);
    }
    if (!signal.aborted) this.#timer = window.setTimeout(() => void this.#ask(signal), ASK_MS);
  }

  #set(heard: NowHeard | undefined): void {
    if (heard === this.heard) return;
    this.heard = heard;
    this.#host.requestUpdate();
  }
}

/** "Ada, Bob and Cem are speaking". */
export function speakingText(names: readonly string[]): string {
  const [first, ...others] = names;
  if (first === undefined) return "Nobody is speaking";
  const last = others.pop();
  if (last === undefined) return `${first} is speaking`;
  return `${[first, ...others].join(", ")} and ${last} are speaking`;
}

/** "12 people listen". */
export function listenersText(count: number): string {
  return count === 1 ? "1 person listens" : `${count.toLocaleString()} people listen`;
}
