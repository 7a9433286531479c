/** Which bridges can reach a recording: all are asked, since the directory knows nothing of recordings. */
import type { BridgeRecord } from "../core/wire/bridge-jobs.ts";
import type { BridgeOperations } from "./bridge-operations.ts";
import type { Log } from "./deps.ts";
import type { JobDesk } from "./job-desk.ts";
import { ProblemError } from "./problem.ts";
import { type FoundRecording, onceEach } from "./recording-list.ts";
import { settleAll } from "./service-calls.ts";

export interface RecordingFinderOptions {
  desk: JobDesk;
  operations: BridgeOperations;
  log: Log;
}

export class RecordingFinder {
  readonly #options: RecordingFinderOptions;

  constructor(options: RecordingFinderOptions) {
    this.#options = options;
  }

  /** Asks every live bridge; `unreachable` are the ids of those that did not answer. Throws ProblemError `bridges-off`. */
  async ask<Answer>(call: (bridge: BridgeRecord) => Promise<Answer>) {
    const { desk, log } = this.#options;
    const { answers, failures } = await settleAll(await desk.bridges(), call);
    for (const { target, error } of failures) {
      log("warn", "a bridge did not answer", { bridge: target.id, error: String(error) });
    }
    return { answers, unreachable: failures.map(({ target }) => target.id) };
  }

  /**
   * Everywhere that it can be reached from; of another room than `room`, if given, it is none of the caller's. Throws ProblemError:
   * `bridges-off`, `bridge-unreachable`.
   */
  async everywhere(id: string, room?: string): Promise<FoundRecording[]> {
    const { operations } = this.#options;
    const { answers, unreachable } = await this.ask((bridge) => operations.recording(bridge, id));
    const found = answers.flatMap(({ target, answer }) =>
      answer ? [{ bridge: target, recording: answer }] : [],
    );
    if (found.length === 0 && unreachable.length > 0) throw unreachableBridges(unreachable);
    return found.filter(({ recording }) => room === undefined || recording.room === room);
  }

  /** Where it is known best. Throws ProblemError: `bridges-off`, `bridge-unreachable`, `recording-not-found`. */
  async one(id: string, room?: string): Promise<FoundRecording> {
    return bestOf(await this.everywhere(id, room));
  }
}

/** Throws ProblemError `recording-not-found` where there is none. */
export function bestOf(found: readonly FoundRecording[]): FoundRecording {
  const [first] = onceEach(found);
  if (first) return first;
  throw new ProblemError(
    "recording-not-found",
    "There is no recording of this id: GET /v1/recordings lists those that there are.",
  );
}

export function unreachableBridges(ids: readonly string[], cause?: unknown): ProblemError {
  return new ProblemError(
    "bridge-unreachable",
    `Bridges did not do what was asked of them: ${ids.join(", ")}. Try again, and look at them if it stays.`,
    { headers: { "retry-after": "5" }, cause },
  );
}
