/** Fetches recordings for a page: asks for a key where the gateway wants one, looks again while one is being made, deletes. */
import type { ReactiveController, ReactiveControllerHost } from "lit";
import type { RecordingInfo } from "../../../core/wire/bridge-jobs.ts";
import { sentenceOf } from "../error-sentence.ts";
import { GatewayRefusal } from "../gateway-request.ts";
import { keepCredential, loadCredential, tabStore } from "./credential.ts";
import { deleteRecording, listRecordings } from "./recordings.ts";

export type RecordingsView =
  | { kind: "loading" }
  | { kind: "ready"; recordings: readonly RecordingInfo[] }
  /** The gateway wants a key; `refusal` says why the last one was not taken, empty at the first asking. */
  | { kind: "locked"; refusal: string }
  | { kind: "failed"; problem: string };

/** While something is being recorded the list is looked at again after: milliseconds. */
const REFRESH_MS = 10_000;

export class RecordingsController implements ReactiveController {
  view: RecordingsView = { kind: "loading" };
  /** Why the last deletion came to nothing; empty where none did. */
  problem = "";
  readonly #host: ReactiveControllerHost;
  #room = "";
  #token = loadCredential(tabStore());
  #run = new AbortController();
  #timer: number | undefined;

  constructor(host: ReactiveControllerHost) {
    this.#host = host;
    host.addController(this);
  }

  hostDisconnected(): void {
    this.#run.abort();
    window.clearTimeout(this.#timer);
  }

  /** Of one room, or of all where `room` is empty. */
  load(room: string): void {
    this.#room = room;
    this.#show({ kind: "loading" });
    void this.#fetch();
  }

  retry = (): void => this.load(this.#room);

  unlock(credential: string): void {
    this.#token = credential;
    keepCredential(tabStore(), credential);
    this.load(this.#room);
  }

  /** True once it is gone; otherwise `problem` says why not. */
  async remove(id: string): Promise<boolean> {
    this.problem = "";
    try {
      await deleteRecording(id, this.#token);
    } catch (error) {
      // Somebody else was faster: gone is gone.
      if (!(error instanceof GatewayRefusal && error.status === 404)) {
        this.problem = sentenceOf(error);
        this.#host.requestUpdate();
        return false;
      }
    }
    if (this.view.kind === "ready") {
      this.#show({ kind: "ready", recordings: this.view.recordings.filter((one) => one.id !== id) });
    }
    return true;
  }

  async #fetch(): Promise<void> {
    this.#run.abort();
    this.#run = new AbortController();
    const { signal } = this.#run;
    window.clearTimeout(this.#timer);
    try {
      const recordings = await listRecordings(this.#room, this.#token, signal);
      if (signal.aborted) return;
      this.#show({ kind: "ready", recordings });
    } catch (error) {
      if (signal.aborted) return;
      this.#failed(error);
    }
    const { view } = this;
    if (view.kind !== "ready" || !view.recordings.some((one) => one.state === "recording")) return;
    this.#timer = window.setTimeout(() => void this.#fetch(), REFRESH_MS);
  }

  #failed(error: unknown): void {
    const status = error instanceof GatewayRefusal ? error.status : 0;
    if (status === 401 || status === 403) {
      this.#show({ kind: "locked", refusal: this.#token === "" ? "" : sentenceOf(error) });
      if (status === 401) keepCredential(tabStore(), "");
      return;
    }
    // A list that is there stays, until a look at it works again.
    if (this.view.kind !== "ready") this.#show({ kind: "failed", problem: sentenceOf(error) });
    else this.#timer = window.setTimeout(() => void this.#fetch(), REFRESH_MS);
  }

  #show(view: RecordingsView): void {
    this.view = view;
    this.#host.requestUpdate();
  }
}
