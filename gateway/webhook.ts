/** Passes room events on to the application, signed so that it knows who says so (docs/webhooks.md). Keeps nothing: relays try again. */
import type { Clock } from "../core/clock.ts";
import type { EventDelivery, RoomEvent } from "../core/wire/room-events.ts";
import type { Log } from "./deps.ts";
import { WEBHOOK_TIMEOUT_MS } from "./limits.ts";

export interface WebhookOptions {
  url: string;
  secret: string;
  clock: Clock;
  fetch: typeof fetch;
  log: Log;
}

export class Webhook {
  readonly #options: WebhookOptions;
  /** Never the promise of one: on Workers what one request waits for must not be waited for by another. */
  #key: CryptoKey | undefined;

  constructor(options: WebhookOptions) {
    this.#options = options;
  }

  /** "delivered" when the application answered 2xx, else "again". Never rejects. */
  async deliver(event: RoomEvent): Promise<EventDelivery> {
    const { log } = this.#options;
    try {
      const status = await this.#post(event);
      if (status >= 200 && status < 300) return "delivered";
      log("warn", "the application did not take an event", { event: event.id, status });
    } catch (error) {
      log("warn", "the application did not take an event", { event: event.id, error: String(error) });
    }
    return "again";
  }

  async #post(event: RoomEvent): Promise<number> {
    const { url, clock, fetch } = this.#options;
    const body = JSON.stringify(event);
    const abort = new AbortController();
    const deadline = clock.after(WEBHOOK_TIMEOUT_MS, () =>
      abort.abort(new Error(`no answer within ${WEBHOOK_TIMEOUT_MS} ms`)),
    );
    try {
      const response = await fetch(url, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          "tributary-event-id": event.id,
          "tributary-signature": await this.#sign(Math.floor(clock.nowUs() / 1_000_000), body),
        },
        body,
        // What it says is for this address only.
        redirect: "manual",
        signal: abort.signal,
      });
      await response.body?.cancel();
      return response.status;
    } finally {
      deadline.cancel();
    }
  }

  async #sign(nowSeconds: number, body: string): Promise<string> {
    const encoder = new TextEncoder();
    const hmac = { name: "HMAC", hash: "SHA-256" };
    const secret = encoder.encode(this.#options.secret);
    this.#key ??= await crypto.subtle.importKey("raw", secret, hmac, false, ["sign"]);
    const mac = await crypto.subtle.sign("HMAC", this.#key, encoder.encode(`${nowSeconds}.${body}`));
    const hex = Array.from(new Uint8Array(mac), (byte) => byte.toString(16).padStart(2, "0")).join("");
    return `t=${nowSeconds},v1=${hex}`;
  }
}
