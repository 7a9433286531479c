/** Posts room events to the gateway, with a token that is signed with this relay's link key (core/wire/room-events.ts). */
import type { Clock } from "../../core/clock.ts";
import type { HttpPost } from "../../core/directory/etcd/http-post.ts";
import { EVENT_TOKEN_SECONDS } from "../../core/wire/limits.ts";
import {
  EVENTS_AUDIENCE,
  EVENTS_PATH,
  type EventDelivery,
  type RoomEvent,
} from "../../core/wire/room-events.ts";
import type { RelayKeys } from "../tree/credential.ts";
import type { DeliverEvent } from "./event-outbox.ts";

/** Longer than the gateway waits for the application. */
const PATIENCE_MS = 15_000;
/** Between two lines about the same fault. */
const COMPLAINT_INTERVAL_US = 60_000_000;
/** Refusals that may not stand: the directory has not heard of this relay's key, too many requests, and the like. */
const PASSING = new Set([401, 403, 408, 425, 429]);

export interface EventPostOptions {
  gatewayUrl: string;
  relayId: string;
  keys: RelayKeys;
  clock: Clock;
  post: HttpPost;
  log(line: string): void;
}

export function eventPost(options: EventPostOptions): DeliverEvent {
  const { gatewayUrl, relayId, keys, clock, post, log } = options;
  const url = new URL(EVENTS_PATH.slice(1), gatewayUrl.endsWith("/") ? gatewayUrl : `${gatewayUrl}/`).href;
  let complainedUs = Number.NEGATIVE_INFINITY;
  const complain = (what: string): void => {
    if (clock.nowUs() - complainedUs < COMPLAINT_INTERVAL_US) return;
    complainedUs = clock.nowUs();
    log(`the gateway does not take room events: ${what}`);
  };

  async function send(event: RoomEvent): Promise<EventDelivery> {
    const iat = Math.floor(clock.nowUs() / 1_000_000);
    const claims = {
      iss: relayId,
      aud: EVENTS_AUDIENCE,
      room: event.room,
      iat,
      exp: iat + EVENT_TOKEN_SECONDS,
    };
    const headers = {
      authorization: `Bearer ${await keys.sign(claims)}`,
      "content-type": "application/json",
    };
    const { answer, abort } = post(url, headers, JSON.stringify(event));
    const deadline = clock.after(PATIENCE_MS, abort);
    try {
      const { status } = await answer;
      if (status >= 200 && status < 300) return "delivered";
      complain(`it answered ${event.type} with status ${status}`);
      return status >= 500 || PASSING.has(status) ? "again" : "refused";
    } finally {
      deadline.cancel();
      // Nothing in the answer is of interest but its status.
      abort();
    }
  }

  return async (event) => {
    try {
      return await send(event);
    } catch (error) {
      complain(error instanceof Error ? error.message : String(error));
      return "again";
    }
  };
}
