/** The gateway's side of a relay's operations API (core/wire/operations-api.ts). */
import { z } from "zod";
import type { Clock } from "../core/clock.ts";
import type { RelayRecord } from "../core/directory/directory.ts";
import {
  type RemovedParticipant,
  type RoomDetail,
  type RoomSummary,
  removedParticipantSchema,
  roomDetailSchema,
  roomSummarySchema,
  type TreePlace,
  treePlaceSchema,
} from "../core/wire/operations-api.ts";
import { ServiceCallError, ServiceCalls, type ServiceRequest, settleAll } from "./service-calls.ts";
import type { TicketKey } from "./ticket-key.ts";

/** The relay did not answer, or not as it should. */
export class RelayCallError extends Error {
  override readonly name = "RelayCallError";
  readonly relayId: string;
  constructor(relayId: string, message: string, options?: ErrorOptions) {
    super(`relay ${relayId}: ${message}`, options);
    this.relayId = relayId;
  }
}

export class RelayOperations {
  readonly #calls: ServiceCalls;

  constructor(options: { ticketKey: TicketKey; clock: Clock; fetch: typeof fetch }) {
    this.#calls = new ServiceCalls({ ...options, scope: "rooms" });
  }

  /** Rejects with RelayCallError. */
  async rooms(relay: RelayRecord): Promise<RoomSummary[]> {
    const schema = z.array(roomSummarySchema);
    const rooms = await this.#call(relay, { method: "GET", path: ["v1", "rooms"], schema });
    if (!rooms) throw new RelayCallError(relay.id, "it has no list of rooms: is operationsUrl a relay's?");
    return rooms;
  }

  /** Undefined when the relay does not hold the room. Rejects with RelayCallError. */
  room(relay: RelayRecord, room: string): Promise<RoomDetail | undefined> {
    return this.#call(relay, { method: "GET", path: ["v1", "rooms", room], schema: roomDetailSchema });
  }

  /** Undefined when the relay does not hold the room. Rejects with RelayCallError. */
  tree(relay: RelayRecord, room: string): Promise<TreePlace | undefined> {
    return this.#call(relay, { method: "GET", path: ["v1", "rooms", room, "tree"], schema: treePlaceSchema });
  }

  /** Undefined when the participant is not on this relay. Rejects with RelayCallError. */
  remove(relay: RelayRecord, room: string, identity: string): Promise<RemovedParticipant | undefined> {
    const path = ["v1", "rooms", room, "participants", identity];
    return this.#call(relay, { method: "DELETE", path, schema: removedParticipantSchema });
  }

  async #call<Schema extends z.ZodType>(
    relay: RelayRecord,
    request: ServiceRequest<Schema>,
  ): Promise<z.output<Schema> | undefined> {
    try {
      return await this.#calls.call(relay, request);
    } catch (error) {
      if (!(error instanceof ServiceCallError)) throw error;
      throw new RelayCallError(relay.id, error.message, { cause: error });
    }
  }
}

/** Asks relays side by side; what failed is told apart from what answered. Order as given. */
export async function askAll<Answer>(
  relays: readonly RelayRecord[],
  ask: (relay: RelayRecord) => Promise<Answer>,
): Promise<{ answers: { relay: RelayRecord; answer: Answer }[]; failures: RelayCallError[] }> {
  const { answers, failures } = await settleAll(relays, ask);
  return {
    answers: answers.map(({ target, answer }) => ({ relay: target, answer })),
    failures: failures.map(({ target, error }) =>
      error instanceof RelayCallError
        ? error
        : new RelayCallError(target.id, String(error), { cause: error }),
    ),
  };
}
