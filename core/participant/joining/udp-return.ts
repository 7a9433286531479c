/** While a session is one over TCP: looks now and then whether UDP has become possible, to go back to WebTransport then. */
import { type Clock, every, type Timer } from "../../clock.ts";
import { bytesOfBase64 } from "../../wire/base64.ts";
import { CLOSE_CODES } from "../../wire/close-codes.ts";
import type { Connect } from "../../session/session.ts";
import type { Participant } from "../participant-api.ts";

const LOOK_EVERY_MS = 500;
const FIRST_PAUSE_MS = 3_000;
const LONGEST_PAUSE_MS = 60_000;
const ATTEMPT_TIMEOUT_MS = 3_000;

export interface UdpReturnOptions {
  clock: Clock;
  overUdp: Connect;
  /** The road is open: called once for each time that it is found so. */
  onOpen(): Promise<void>;
}

/** What is watched. */
type Watched = Pick<Participant, "isOpen" | "isOverTcp" | "relay">;

export class UdpReturn {
  readonly #options: UdpReturnOptions;
  readonly #participant: Watched;
  readonly #timer: Timer;
  #pauseMs = FIRST_PAUSE_MS;
  #nextUs: number;
  #isTrying = false;

  constructor(participant: Watched, options: UdpReturnOptions) {
    this.#participant = participant;
    this.#options = options;
    this.#nextUs = options.clock.nowUs() + FIRST_PAUSE_MS * 1000;
    this.#timer = every(options.clock, LOOK_EVERY_MS, () => void this.#look());
  }

  /** The network has changed: the next look is now. */
  hurry(): void {
    this.#pauseMs = FIRST_PAUSE_MS;
    this.#nextUs = 0;
  }

  async #look(): Promise<void> {
    const { clock, onOpen } = this.#options;
    const { isOpen, isOverTcp, relay } = this.#participant;
    if (!isOpen || !isOverTcp || relay.url === "") {
      this.#pauseMs = FIRST_PAUSE_MS;
      this.#nextUs = clock.nowUs() + FIRST_PAUSE_MS * 1000;
      return;
    }
    if (this.#isTrying || clock.nowUs() < this.#nextUs) return;
    this.#isTrying = true;
    if (await this.#isUdpOpen()) await onOpen();
    this.#isTrying = false;
    this.#nextUs = clock.nowUs() + this.#pauseMs * 1000;
    this.#pauseMs = Math.min(LONGEST_PAUSE_MS, this.#pauseMs * 2);
  }

  async #isUdpOpen(): Promise<boolean> {
    const { url, certificateHashes } = this.#participant.relay;
    try {
      const session = await this.#options.overUdp(url, {
        certificateHashes: certificateHashes.map(bytesOfBase64),
        timeoutMs: ATTEMPT_TIMEOUT_MS,
      });
      session.close(CLOSE_CODES.normal, "only looked whether this road is open");
      return true;
    } catch {
      return false;
    }
  }

  stop(): void {
    this.#timer.cancel();
  }
}
