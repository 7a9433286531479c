/**
 * Opens sessions by whichever road leads to the relay: WebTransport over UDP at once, TCP a little later, the first that is ready is
 * taken (as RFC 8305 does it for addresses). What was found out about UDP is remembered for each network.
 */
import type { Clock } from "../../clock.ts";
import {
  type Connect,
  type ConnectOptions,
  type Session,
  SessionClosedError,
} from "../../session/session.ts";
import { CLOSE_CODES } from "../../wire/close-codes.ts";
import type { RoadMemory } from "./road-memory.ts";

/** WebTransport is so far ahead: where UDP works it is there by then on all but the longest roads. */
const HEAD_START_MS = 500;

export interface RoadRaceOptions {
  clock: Clock;
  overUdp: Connect;
  overTcp: Connect;
  memory: RoadMemory;
}

/** A Connect that takes the better of two. Rejects with SessionClosedError when neither leads there. */
export function racing(options: RoadRaceOptions): Connect {
  return (url, given) => {
    const { fallbackUrl = "" } = given;
    if (fallbackUrl === "") return options.overUdp(url, given);
    if (url === "") return options.overTcp(fallbackUrl, given);
    return new RoadRace(options, given).run(url, fallbackUrl);
  };
}

class RoadRace {
  readonly #options: RoadRaceOptions;
  readonly #given: ConnectOptions;
  readonly #failures: string[] = [];
  #isDecided = false;

  constructor(options: RoadRaceOptions, given: ConnectOptions) {
    this.#options = options;
    this.#given = given;
  }

  run(url: string, fallbackUrl: string): Promise<Session> {
    const { clock, overUdp, overTcp, memory } = this.#options;
    return new Promise((resolve, reject) => {
      const dial = async (connect: Connect, to: string, isUdp: boolean): Promise<void> => {
        try {
          const session = await connect(to, this.#given);
          if (isUdp) memory.noteUdp(true);
          if (this.#isDecided) return session.close(CLOSE_CODES.normal, "another road was faster");
          if (!isUdp) memory.noteUdp(false);
          this.#isDecided = true;
          resolve(session);
        } catch (error) {
          this.#failures.push(`over ${isUdp ? "UDP" : "TCP"}: ${messageOf(error)}`);
          if (this.#failures.length === 2) reject(new SessionClosedError(this.#failures.join("; ")));
        }
      };
      let isBegun = false;
      const beginTcp = (): void => {
        if (isBegun || this.#isDecided) return;
        isBegun = true;
        void dial(overTcp, fallbackUrl, false);
      };
      const headStart = clock.after(memory.isUdpBlocked ? 0 : HEAD_START_MS, beginTcp);
      void dial(overUdp, url, true).then(() => {
        headStart.cancel();
        beginTcp();
      });
    });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
