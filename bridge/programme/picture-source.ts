/** One picture track of a room: units in the order in which they are decoded, held until the programme has come to their time. */
import type { AccessUnit } from "../../core/delivery/access-unit.ts";
import { DecodeOrder } from "../../core/media/decode-order.ts";
import { DecodeTimes } from "./decode-times.ts";

/** Units that wait for their time; at more the oldest is given up, and those that need it. 8 s at 60 a second. */
const MAX_HELD_PICTURES = 480;

/** A picture with its decode time. */
export interface TimedPicture {
  unit: AccessUnit;
  decodeTimeUs: number;
}

export class PictureSource {
  readonly trackId: number;
  readonly identity: string;
  /** Units that were given up because too many waited. */
  overflowed = 0;
  readonly #order = new DecodeOrder();
  readonly #times = new DecodeTimes();
  readonly #held: AccessUnit[] = [];

  constructor(trackId: number, identity: string) {
    this.trackId = trackId;
    this.identity = identity;
  }

  /** Only a keyframe helps. */
  get needsKeyframe(): boolean {
    return this.#order.needsKeyframe && this.#held.length === 0;
  }

  /** Takes a unit; its capture time is on the room clock. */
  push(unit: AccessUnit, nowUs: number): void {
    this.#order.push(unit, nowUs, this.#hold);
    if (this.#held.length <= MAX_HELD_PICTURES) return;
    this.overflowed += this.#held.length;
    for (const _ of this.#held.splice(0)) this.#times.next();
    this.#order.reset();
  }

  /** The next picture whose turn it is when the programme is at `untilUs`. */
  take(untilUs: number, nowUs: number): TimedPicture | undefined {
    this.#order.release(untilUs, nowUs, this.#hold);
    const [unit] = this.#held;
    if (unit === undefined || this.#dueUs(unit) > untilUs) return undefined;
    this.#held.shift();
    return { unit, decodeTimeUs: this.#times.next() };
  }

  /**
   * Looks for a keyframe that is shown after `afterUs` and whose turn has come at `untilUs`; lets go of everything before it.
   * True when the next picture that `take` gives is that keyframe.
   */
  seekKeyframe(afterUs: number, untilUs: number, nowUs: number): boolean {
    this.#order.release(untilUs, nowUs, this.#hold);
    const at = this.#held.findIndex(({ keyframe, captureTimeUs }) => keyframe && captureTimeUs > afterUs);
    const before = at < 0 ? this.#held.filter((unit) => this.#dueUs(unit) <= untilUs).length : at;
    for (const _ of this.#held.splice(0, before)) this.#times.next();
    return at >= 0 && this.#dueUs(this.#held[0]!) <= untilUs;
  }

  readonly #hold = (unit: AccessUnit): void => {
    this.#times.push(unit.captureTimeUs);
    this.#held.push(unit);
  };

  /** Shown later than another one that is decoded later: it is due with that one. */
  #dueUs(unit: AccessUnit): number {
    let dueUs = unit.captureTimeUs;
    for (const { captureTimeUs } of this.#held.slice(0, 8)) dueUs = Math.min(dueUs, captureTimeUs);
    return dueUs;
  }
}
