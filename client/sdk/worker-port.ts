/** The page's end of the pipeline worker: requests with answers, messages one way, events back. */
import type { FromWorker, Operation, ToWorker } from "../worker/worker-messages.ts";
import { RoomError, type RoomStats } from "./api.ts";

type Answer = number | RoomStats | undefined;

interface Waiting {
  resolve(value: Answer): void;
  reject(error: RoomError): void;
}

export class WorkerPort {
  onMessage: (message: FromWorker) => void = () => undefined;
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 1;
  #over = false;

  constructor() {
    this.#worker = new Worker(new URL("../worker/pipeline-worker.ts", import.meta.url), {
      type: "module",
      name: "tributary",
    });
    this.#worker.onmessage = ({ data }: MessageEvent<FromWorker>) => this.#receive(data);
    this.#worker.onerror = (event) => {
      const message = event.message || "the media worker could not be loaded";
      this.onMessage({ type: "state", state: "closed", code: "worker-failed", reason: message });
    };
  }

  post(message: ToWorker, transfer: Transferable[] = []): void {
    if (!this.#over) this.#worker.postMessage(message, transfer);
  }

  /** Rejects with RoomError. */
  request(request: Operation, transfer: Transferable[] = []): Promise<Answer> {
    if (this.#over) return Promise.reject(new RoomError("closed", "the room is closed; join it again"));
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.post({ type: "request", id, request }, transfer);
    });
  }

  close(): void {
    if (this.#over) return;
    this.#over = true;
    this.#worker.terminate();
    for (const waiting of this.#waiting.values()) {
      waiting.reject(new RoomError("closed", "the room was closed before the answer came"));
    }
    this.#waiting.clear();
  }

  #receive(message: FromWorker): void {
    if (message.type !== "answer" && message.type !== "refused") return this.onMessage(message);
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message.type === "answer") waiting?.resolve(message.value);
    else waiting?.reject(new RoomError(message.code, message.message));
  }
}

let prepared: WorkerPort | undefined;

/**
 * Starts the media worker ahead of joinRoom, which then need not wait for its script: call it when the page
 * opens, while people are still in the lobby. Calling it again changes nothing.
 */
export function prepareRoom(): void {
  if (prepared !== undefined) return;
  const port = new WorkerPort();
  prepared = port;
  // Before it is told to join, a worker speaks only when it could not be loaded; joinRoom then tries again and says so.
  port.onMessage = () => {
    if (prepared === port) prepared = undefined;
    port.close();
  };
}

/** The prepared worker, or a new one. */
export function takeWorker(): WorkerPort {
  const port = prepared ?? new WorkerPort();
  prepared = undefined;
  return port;
}
