/** Fetches recordings for a page: asks for a key where the gateway wants one, looks again while one is being made, deletes. */
import type { ReactiveController, ReactiveControllerHost } from "lit";
import type { RecordingInfo } from "../../../core/wire/bridge-jobs.ts";
import { sentenceOf } from "../error-sentence.ts";
import { GatewayRefusal } from "../gateway-request.ts";
import { keepCredential, loadCredential, tabStore } from "./credential.ts";
import { deleteRecording, getRecording, listRecordings, type RecordingsPage } from "./recordings.ts";

export type RecordingsView =
  | { kind: "loading" }
  | { kind: "ready"; page: RecordingsPage }
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
  #ask: (signal: AbortSignal) => Promise<RecordingsPage> = () =>
    Promise.reject(new Error("nothing is asked for"));
  #token = loadCredential(tabStore());
  #room = "";
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

  /** Those of one room, or of all where `room` is empty. */
  loadRoom(room: string): void {
    this.#ask = (signal) => listRecordings({ room, before: "" }, this.#token, signal);
    this.#room = room;
    this.retry();
  }

  /** One; the list is empty where there is no such recording. */
  loadOne(id: string): void {
    this.#ask = async (signal) => ({
      recordings: await unlessMissing(getRecording(id, this.#token, signal)),
      unreachable: [],
    });
    this.retry();
  }

  retry = (): void => {
    this.#show({ kind: "loading" });
    void this.#fetch();
  };

  /** Adds older ones to the list. */
  more = async (): Promise<void> => {
    const { view } = this;
    if (view.kind !== "ready" || view.page.next === undefined) return;
    this.#run.abort();
    this.#run = new AbortController();
    const { signal } = this.#run;
    // From now on the list is longer than one answer, and stays as it is.
    window.clearTimeout(this.#timer);
    try {
      const older = await listRecordings({ room: this.#room, before: view.page.next }, this.#token, signal);
      this.problem = "";
      this.#show({
        kind: "ready",
        page: { ...older, recordings: [...view.page.recordings, ...older.recordings] },
      });
    } catch (error) {
      if (signal.aborted) return;
      this.problem = sentenceOf(error);
      this.#host.requestUpdate();
    }
  };

  unlock(credential: string): void {
    this.#token = credential;
    keepCredential(tabStore(), credential);
    this.retry();
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
      const { page } = this.view;
      this.#show({
        kind: "ready",
        page: { ...page, recordings: page.recordings.filter((one) => one.id !== id) },
      });
    }
    return true;
  }

  async #fetch(): Promise<void> {
    this.#run.abort();
    this.#run = new AbortController();
    const { signal } = this.#run;
    window.clearTimeout(this.#timer);
    try {
      const page = await this.#ask(signal);
      if (signal.aborted) return;
      this.#show({ kind: "ready", page });
    } catch (error) {
      if (signal.aborted) return;
      this.#failed(error);
    }
    const { view } = this;
    if (view.kind !== "ready" || !view.page.recordings.some((one) => one.state === "recording")) return;
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

async function unlessMissing(asked: Promise<RecordingInfo>): Promise<RecordingInfo[]> {
  try {
    return [await asked];
  } catch (error) {
    if (error instanceof GatewayRefusal && error.status === 404) return [];
    throw error;
  }
}
