/** The gateway's side of a relay's operations API (core/wire/operations-api.ts): calls with a deadline and a size limit. */
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
import { signServiceToken, type TicketKey } from "./ticket-key.ts";

/** A relay that has not answered in full by then counts as unreachable. */
export const RELAY_TIMEOUT_MS = 3_000;
/** Larger answers are refused; 10,000 room summaries are about 1.5 MB. */
export const MAX_RELAY_ANSWER_BYTES = 8 * 1024 * 1024;
/** Relays asked at the same time in one request. */
const MAX_CALLS_AT_ONCE = 16;
const SERVICE_TOKEN_SECONDS = 60;

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
  readonly #key: TicketKey;
  readonly #clock: Clock;
  readonly #fetch: typeof fetch;

  constructor(options: { ticketKey: TicketKey; clock: Clock; fetch: typeof fetch }) {
    this.#key = options.ticketKey;
    this.#clock = options.clock;
    this.#fetch = options.fetch;
  }

  /** Rejects with RelayCallError. */
  async rooms(relay: RelayRecord): Promise<RoomSummary[]> {
    const rooms = await this.#call(relay, "GET", ["v1", "rooms"], z.array(roomSummarySchema));
    if (!rooms) throw new RelayCallError(relay.id, "it has no list of rooms: is operationsUrl a relay's?");
    return rooms;
  }

  /** Undefined when the relay does not hold the room. Rejects with RelayCallError. */
  room(relay: RelayRecord, room: string): Promise<RoomDetail | undefined> {
    return this.#call(relay, "GET", ["v1", "rooms", room], roomDetailSchema);
  }

  /** Undefined when the relay does not hold the room. Rejects with RelayCallError. */
  tree(relay: RelayRecord, room: string): Promise<TreePlace | undefined> {
    return this.#call(relay, "GET", ["v1", "rooms", room, "tree"], treePlaceSchema);
  }

  /** Undefined when the participant is not on this relay. Rejects with RelayCallError. */
  remove(relay: RelayRecord, room: string, identity: string): Promise<RemovedParticipant | undefined> {
    const path = ["v1", "rooms", room, "participants", identity];
    return this.#call(relay, "DELETE", path, removedParticipantSchema);
  }

  async #call<Schema extends z.ZodType>(
    relay: RelayRecord,
    method: string,
    path: string[],
    schema: Schema,
  ): Promise<z.output<Schema> | undefined> {
    const abort = new AbortController();
    const deadline = this.#clock.after(RELAY_TIMEOUT_MS, () =>
      abort.abort(new Error(`no answer within ${RELAY_TIMEOUT_MS} ms`)),
    );
    try {
      const base = relay.operationsUrl.endsWith("/") ? relay.operationsUrl : `${relay.operationsUrl}/`;
      const response = await this.#fetch(new URL(path.map(encodeURIComponent).join("/"), base), {
        method,
        headers: { authorization: `Bearer ${await this.#token(relay)}`, accept: "application/json" },
        // Relays do not redirect; a token must not follow one elsewhere.
        redirect: "manual",
        signal: abort.signal,
      });
      if (response.status === 404) {
        await response.body?.cancel();
        return undefined;
      }
      if (response.status !== 200) {
        await response.body?.cancel();
        throw new RelayCallError(relay.id, `it answered ${method} with status ${response.status}`);
      }
      return schema.parse(JSON.parse(await boundedText(response)));
    } catch (cause) {
      if (cause instanceof RelayCallError) throw cause;
      throw new RelayCallError(relay.id, reasonOf(cause), { cause });
    } finally {
      deadline.cancel();
    }
  }

  #token(relay: RelayRecord): Promise<string> {
    const iat = Math.floor(this.#clock.nowUs() / 1_000_000);
    return signServiceToken(this.#key, {
      aud: relay.id,
      scope: "rooms",
      iat,
      exp: iat + SERVICE_TOKEN_SECONDS,
    });
  }
}

/** In one line; fetch hides what happened in its cause. */
function reasonOf(error: unknown): string {
  if (error instanceof z.ZodError) return "its answer does not fit the schema";
  const inner = error instanceof Error && error.cause !== undefined ? `: ${String(error.cause)}` : "";
  return `${String(error)}${inner}`;
}

/** Asks relays side by side; what failed is told apart from what answered. Order as given. */
export async function askAll<Answer>(
  relays: readonly RelayRecord[],
  ask: (relay: RelayRecord) => Promise<Answer>,
): Promise<{ answers: { relay: RelayRecord; answer: Answer }[]; failures: RelayCallError[] }> {
  const settled: PromiseSettledResult<Answer>[] = [];
  for (let start = 0; start < relays.length; start += MAX_CALLS_AT_ONCE) {
    settled.push(...(await Promise.allSettled(relays.slice(start, start + MAX_CALLS_AT_ONCE).map(ask))));
  }
  const answers: { relay: RelayRecord; answer: Answer }[] = [];
  const failures: RelayCallError[] = [];
  settled.forEach((result, index) => {
    const relay = relays[index];
    if (!relay) return;
    if (result.status === "fulfilled") answers.push({ relay, answer: result.value });
    else if (result.reason instanceof RelayCallError) failures.push(result.reason);
    else failures.push(new RelayCallError(relay.id, String(result.reason), { cause: result.reason }));
  });
  return { answers, failures };
}

async function boundedText(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  if (!response.body) return text;
  const reader = response.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    bytes += value.length;
    if (bytes > MAX_RELAY_ANSWER_BYTES) {
      await reader.cancel();
      throw new Error(`its answer is over ${MAX_RELAY_ANSWER_BYTES} bytes`);
    }
    text += decoder.decode(value, { stream: true });
  }
}
