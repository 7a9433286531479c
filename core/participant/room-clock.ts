/** How far the room clock is ahead of ours: measured with the first welcome (RFC 5905, section 8), kept afterwards. docs/wire.md, section 7. */
import type { Welcome } from "./attachment.ts";

/** Relays keep time by NTP: their clocks never differ by so much. Ours has stood still then, as when the machine slept. */
const STOOD_STILL_US = 1_000_000;

export class RoomClock {
  #offsetUs: number | undefined;

  /** Room clock minus local clock, microseconds. */
  get offsetUs(): number {
    return this.#offsetUs ?? 0;
  }

  /** A relay has welcomed us. Its clock is a few milliseconds off the first one's, and a jump would be heard and seen. */
  learn({ helloSentAtUs, helloReceivedAtUs, welcomeSentAtUs }: Welcome, nowUs: number): void {
    const measuredUs = Math.round((helloReceivedAtUs - helloSentAtUs + (welcomeSentAtUs - nowUs)) / 2);
    if (Math.abs(measuredUs - (this.#offsetUs ?? Number.POSITIVE_INFINITY)) < STOOD_STILL_US) return;
    this.#offsetUs = measuredUs;
  }
}
