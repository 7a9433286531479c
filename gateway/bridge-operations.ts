/** The gateway's side of a bridge's operations API (core/wire/bridge-operations.ts). */
import type { Clock } from "../core/clock.ts";
import { type BridgeRecord, type RecordingInfo, recordingInfoSchema } from "../core/wire/bridge-jobs.ts";
import {
  type RecordingPage,
  type RecordingQuery,
  recordingPageSchema,
} from "../core/wire/bridge-operations.ts";
import { ServiceCallError, ServiceCalls } from "./service-calls.ts";
import type { TicketKey } from "./ticket-key.ts";

export class BridgeOperations {
  readonly #calls: ServiceCalls;

  constructor(options: { ticketKey: TicketKey; clock: Clock; fetch: typeof fetch }) {
    this.#calls = new ServiceCalls({ ...options, scope: "recordings" });
  }

  /** Rejects with ServiceCallError. */
  async recordings(bridge: BridgeRecord, { room, before, limit }: RecordingQuery): Promise<RecordingPage> {
    const page = await this.#calls.call(bridge, {
      method: "GET",
      path: ["v1", "recordings"],
      query: { room, before, limit: String(limit) },
      schema: recordingPageSchema,
    });
    if (!page) throw new ServiceCallError("it has no list of recordings: is operationsUrl a bridge's?", 404);
    return page;
  }

  /** Undefined when the bridge has no such recording. Rejects with ServiceCallError. */
  recording(bridge: BridgeRecord, id: string): Promise<RecordingInfo | undefined> {
    return this.#calls.call(bridge, {
      method: "GET",
      path: ["v1", "recordings", id],
      schema: recordingInfoSchema,
    });
  }

  /** Undefined when the bridge has no such recording. Rejects with ServiceCallError, of status 409 while it is being made. */
  delete(bridge: BridgeRecord, id: string): Promise<RecordingInfo | undefined> {
    return this.#calls.call(bridge, {
      method: "DELETE",
      path: ["v1", "recordings", id],
      schema: recordingInfoSchema,
    });
  }
}
