/** Relays that the gateway has named for us, each with a ticket that is good once and not for long; where they are stays known for longer. */
import type { Clock } from "../../clock.ts";
import { RELAY_TICKET_SECONDS } from "../../wire/limits.ts";
import type { RelayCandidate } from "../participant-api.ts";
import { GatewayError } from "./gateway-join.ts";

/** A ticket is not dialled with so shortly before its end. */
const RESERVE_SECONDS = 10;
/** A gateway that takes longer is asked again. */
const GATEWAY_TIMEOUT_MS = 5_000;

export class RelayCandidates {
  readonly #clock: Clock;
  readonly #ask: () => Promise<readonly RelayCandidate[]>;
  /** Best first. */
  #unused: RelayCandidate[] = [];
  /** Of the same answer, all of them. */
  #known: readonly RelayCandidate[] = [];
  #askedUs = 0;

  /** `ask` rejects with GatewayError. */
  constructor(clock: Clock, ask: () => Promise<readonly RelayCandidate[]>) {
    this.#clock = clock;
    this.#ask = ask;
  }

  /** Takes an answer of the gateway over, asked for at `askedUs`. */
  replace(relays: readonly RelayCandidate[], askedUs: number): void {
    this.#unused = [...relays];
    this.#known = relays;
    this.#askedUs = askedUs;
  }

  /** The best one that is left, and with it its ticket; one of the `tried` relays only where there is no other. */
  take(tried: ReadonlySet<string>): RelayCandidate | undefined {
    const ageSeconds = (this.#clock.nowUs() - this.#askedUs) / 1_000_000;
    if (ageSeconds > RELAY_TICKET_SECONDS - RESERVE_SECONDS) this.#unused = [];
    const at = this.#unused.findIndex(({ relayId }) => !tried.has(relayId));
    return this.#unused.splice(Math.max(0, at), 1)[0];
  }

  /** The best one that was not `tried`, whose ticket must not be counted on. */
  takeKnown(tried: ReadonlySet<string>): RelayCandidate | undefined {
    return this.#known.find(({ relayId }) => !tried.has(relayId));
  }

  /** The one of this relay, and with it its ticket; another only where it is not among them. */
  takeOf(relayId: string): RelayCandidate | undefined {
    const others = this.#unused.map((relay) => relay.relayId).filter((id) => id !== relayId);
    return this.take(new Set(others));
  }

  /** Asks the gateway for others. Rejects with GatewayError. */
  async refresh(): Promise<void> {
    const askedUs = this.#clock.nowUs();
    let timer: { cancel(): void } | undefined;
    const timeout = new Promise<never>((_, reject) => {
      const error = new GatewayError("gateway-unreachable", "the gateway did not answer in time", false);
      timer = this.#clock.after(GATEWAY_TIMEOUT_MS, () => reject(error));
    });
    try {
      this.replace(await Promise.race([this.#ask(), timeout]), askedUs);
    } finally {
      timer?.cancel();
    }
  }
}
