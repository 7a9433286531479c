/**
 * Holds units until their time and says, each time the speaker runs out of decoded sound, what comes next: a unit,
 * concealment of one that is lost or late, silence that the sender meant, or nothing while the buffer fills; and how the
 * sound should be paced. Knows no codec: audio-playout.ts decodes, conceals and stretches as told.
 */
import type { AccessUnit } from "../delivery/access-unit.ts";
import { isEmptyFrame } from "./opus-frame.ts";
import { MOST_HELD_OUT_US, type Pace, PaceControl } from "./pace-control.ts";
import { PlayoutTarget } from "./playout-target.ts";

/** Units held at most; at more the oldest are skipped (`overflow`). 2 s of 20 ms frames. */
export const MAX_HELD_UNITS = 100;
/** Arrivals that are remembered, a power of two above that. */
const ARRIVALS = 128;
/** Further apart than this two ids are of different numberings. */
const MAX_ID_DISTANCE = 1_000;
/** Sound is decided on in steps of this length. */
const STEP_US = 10_000;
const LEAST_STEP_US = 2_500;
/** Concealed so long without a unit, the stream counts as stopped and fills anew. */
const MAX_CONCEALED_US = 500_000;
/** The stream starts with a unit that has waited too long already only when none comes within this time that has not. */
const MAX_START_WAIT_US = 60_000;
/** So many frames without a unit are more than one that was lost: what is held is made to last, once it is this little. */
const SILENT_FRAMES = 2.25;
const FEW_UNITS = 4;
/** Further over the target than this the extra is skipped instead of hurried. */
const SKIP_ABOVE_US = 400_000;

export type JitterDrop = "late" | "duplicate" | "overflow" | "skipped";

export type Playout =
  /** `concealedUs` of concealment stood in while the unit was late: join it there instead of playing all of it. */
  | { kind: "unit"; unit: AccessUnit; concealedUs: number }
  /** Conceal so much of a lost unit; `following` comes right after it. */
  | { kind: "lost"; durationUs: number; following: AccessUnit | undefined }
  /** Nothing has arrived: go on somehow. */
  | { kind: "starved"; durationUs: number }
  /** Silence on purpose (discontinuous transmission). */
  | { kind: "quiet"; durationUs: number }
  | { kind: "silence" };

export interface JitterBufferOptions {
  frameDurationUs: number;
  /** Bounds of the target in microseconds. */
  minDelayUs: number;
  maxDelayUs: number;
}

const SILENCE: Playout = { kind: "silence" };

export class JitterBuffer {
  /** How the sound is to be paced, and what the clocks do. */
  readonly pace: PaceControl;
  readonly #units = new Map<number, AccessUnit>();
  readonly #target: PlayoutTarget;
  readonly #frameUs: number;
  readonly #dropped: Record<JitterDrop, number> = { late: 0, duplicate: 0, overflow: 0, skipped: 0 };
  /** Frame id that is due next; undefined while filling. */
  #next: number | undefined;
  /** Capture time that `next` should have. */
  #nextCaptureUs = 0;
  #newest: number | undefined;
  /** Arrival of the first unit while filling. */
  #fillingSinceUs = 0;
  /** First unit that came by itself: copies of earlier ones are not recovered, they were before our time. */
  #first: number | undefined;
  /** Concealed since the last unit, and not yet standing for a unit that is known to be missing. */
  #concealedUs = 0;
  #concealedInARowUs = 0;
  #lastWasEmpty = false;
  #newestIsEmpty = false;
  #lastArrivedUs = 0;
  #delayUs = 0;
  /** How much later than the target the sound is because it was made to last. */
  #heldOutUs = 0;
  /** By frame id modulo ARRIVALS. */
  readonly #arrivedUs = new Float64Array(ARRIVALS);
  #pulledUs = 0;
  #waitedUs = 0;
  #emitted = 0;
  #paused = false;

  constructor(options: JitterBufferOptions) {
    this.#frameUs = options.frameDurationUs;
    this.pace = new PaceControl(options.frameDurationUs);
    this.#target = new PlayoutTarget(options.frameDurationUs, options.minDelayUs, options.maxDelayUs);
  }

  get dropped(): Readonly<Record<JitterDrop, number>> {
    return this.#dropped;
  }

  get targetMs(): number {
    return this.#target.targetUs / 1000;
  }

  /** What the sound itself would wait, without the wishes of picture and application. */
  get ownTargetUs(): number {
    return this.#target.ownUs;
  }

  get jitterMs(): number {
    return this.#target.jitterUs / 1000;
  }

  /** How long the sound played last had waited since the fastest possible arrival. */
  get delayMs(): number {
    return this.#delayUs / 1000;
  }

  /** Sum of the times from arrival to leaving the buffer, of all `emittedUnits` (jitterBufferDelay of W3C webrtc-stats). */
  get waitedMs(): number {
    return this.#waitedUs / 1000;
  }

  get emittedUnits(): number {
    return this.#emitted;
  }

  get heldUnits(): number {
    return this.#units.size;
  }

  /** Changes the bounds of the target. */
  setBounds(minDelayUs: number, maxDelayUs: number): void {
    this.#target.setBounds(minDelayUs, maxDelayUs);
  }

  /** The picture needs the sound to wait at least this long (relative to the sound's own fastest arrival). */
  setSyncDelay(delayUs: number): void {
    this.#target.setSyncDelay(delayUs);
  }

  /** Takes a unit that arrived; `arrivedUs` and `unit.captureTimeUs` may be of different clocks. */
  push(unit: AccessUnit, arrivedUs: number): void {
    this.#lastArrivedUs = arrivedUs;
    if (this.#next !== undefined && Math.abs((unit.frameId - this.#next) | 0) > MAX_ID_DISTANCE) {
      // Another numbering altogether: the publisher started over.
      this.reset();
    }
    if (this.#units.has(unit.frameId)) {
      this.#dropped.duplicate++;
      return;
    }
    const ahead = this.#newest === undefined ? 1 : (unit.frameId - this.#newest) | 0;
    const isNewest = ahead > 0;
    if (isNewest) {
      this.#newest = unit.frameId;
      this.#newestIsEmpty = isEmptyFrame(unit.bytes);
    }
    // A gap that is longer than what is concealed is an outage, and says nothing of losses.
    if ((ahead - 1) * this.#frameUs <= MAX_CONCEALED_US) this.#target.noteMissing(isNewest ? ahead - 1 : -1);
    if (unit.recovered !== true) this.#first ??= unit.frameId;
    const isOurs = this.#first !== undefined && ((unit.frameId - this.#first) | 0) >= 0;
    const isRecovered = isOurs && (unit.recovered === true || !isNewest);
    this.#target.push(unit.captureTimeUs, arrivedUs, isRecovered, this.#heldOutUs);
    if (this.#next !== undefined && ((unit.frameId - this.#next) | 0) < 0) {
      this.#dropped.late++;
      return;
    }
    if (isNewest && unit.recovered !== true) {
      this.pace.arrived(unit.frameId, unit.captureTimeUs, arrivedUs);
    }
    if (this.#units.size === 0) this.#fillingSinceUs = arrivedUs;
    this.#units.set(unit.frameId, unit);
    this.#arrivedUs[unit.frameId % ARRIVALS] = arrivedUs;
    while (this.#units.size > MAX_HELD_UNITS) {
      const oldest = this.#oldest()!;
      this.#units.delete(oldest.frameId);
      this.#dropped.overflow++;
      if (this.#next !== undefined) this.#expect(oldest);
    }
  }

  #oldest(): AccessUnit | undefined {
    let oldest: AccessUnit | undefined;
    for (const unit of this.#units.values()) {
      if (oldest === undefined || ((unit.frameId - oldest.frameId) | 0) < 0) oldest = unit;
    }
    return oldest;
  }

  /** The speaker has nothing decoded left (same clock as `arrivedUs`). */
  pull(nowUs: number): Playout {
    this.#pulledUs = nowUs;
    if (this.#next === undefined) return this.#start(nowUs);
    let unit = this.#units.get(this.#next) ?? this.#oldest();
    if (unit === undefined) return this.#starve();
    const missingUs = ((unit.frameId - this.#next) | 0) * this.#frameUs;
    const uncoveredUs = missingUs - this.#concealedUs;
    if (uncoveredUs >= LEAST_STEP_US) return this.#conceal(unit, uncoveredUs);
    const earlyUs = this.#target.targetUs - this.#delayOf(unit, nowUs);
    const pauseUs = unit.captureTimeUs - this.#nextCaptureUs - missingUs;
    if (pauseUs > this.#frameUs / 2 && earlyUs > LEAST_STEP_US) {
      this.#concealedUs = missingUs;
      return { kind: "quiet", durationUs: Math.min(STEP_US, earlyUs) };
    }
    unit = this.#skip(unit, nowUs);
    // Once there is silence between, nothing needs to be joined.
    const concealedUs = pauseUs > this.#frameUs / 2 ? 0 : Math.max(0, -uncoveredUs);
    return this.#play(unit, concealedUs);
  }

  /** The unit that follows what was pulled last, when it is here and nothing lies between: for stretching both at once. */
  pullFollowing(): AccessUnit | undefined {
    if (this.#next === undefined || this.#concealedUs > 0) return undefined;
    const unit = this.#units.get(this.#next);
    if (unit === undefined || unit.captureTimeUs - this.#nextCaptureUs > this.#frameUs / 2) return undefined;
    this.#play(unit, 0);
    return unit;
  }

  get holdsFollowing(): boolean {
    return this.#next !== undefined && this.#units.has(this.#next);
  }

  /** How to pace the sound that was captured at `captureUs` and is played now. */
  paceAt(nowUs: number, captureUs: number, playedUs: number): Pace {
    this.#delayUs = nowUs - captureUs - this.#target.baseUs;
    const isSilent = this.#isSilent(nowUs);
    const overUs = Math.min(MOST_HELD_OUT_US, Math.max(0, this.#delayUs - this.#target.targetUs));
    this.#heldOutUs = isSilent ? overUs : Math.min(this.#heldOutUs, overUs);
    return this.pace.decide(nowUs, this.#delayUs, this.#target.targetUs, playedUs, isSilent);
  }

  /** Nothing comes though it should. */
  #isSilent(nowUs: number): boolean {
    if (this.#paused || this.#newestIsEmpty || this.#units.size > FEW_UNITS) return false;
    return nowUs - this.#lastArrivedUs > SILENT_FRAMES * this.#frameUs;
  }

  /** While paused (the publisher muted) an empty buffer is silence, not loss; the next unit starts anew. */
  setPaused(paused: boolean): void {
    this.#paused = paused;
  }

  /** Forgets everything held; the stream starts anew (mute, another publisher session). */
  reset(): void {
    this.#units.clear();
    this.#newest = undefined;
    this.#first = undefined;
    this.#stop();
  }

  #stop(): void {
    this.#next = undefined;
    this.#concealedUs = 0;
    this.#concealedInARowUs = 0;
    this.#lastWasEmpty = false;
  }

  #delayOf(unit: AccessUnit, nowUs: number): number {
    return nowUs - unit.captureTimeUs - this.#target.baseUs;
  }

  #start(nowUs: number): Playout {
    let unit = this.#oldest();
    if (unit === undefined) return SILENCE;
    // Units that waited longer than needed (a burst at the start) would only add delay.
    const mostUs = this.#target.targetUs + this.#frameUs;
    while (this.#units.size > 1 && this.#delayOf(unit, nowUs) >= mostUs) {
      this.#units.delete(unit.frameId);
      this.#dropped.skipped++;
      unit = this.#oldest()!;
    }
    const delayUs = this.#delayOf(unit, nowUs);
    if (delayUs < this.#target.targetUs) return SILENCE;
    if (delayUs >= mostUs && nowUs - this.#fillingSinceUs < MAX_START_WAIT_US) return SILENCE;
    return this.#play(unit, 0);
  }

  #skip(first: AccessUnit, nowUs: number): AccessUnit {
    let unit = first;
    while (this.#delayOf(unit, nowUs) > this.#target.targetUs + SKIP_ABOVE_US) {
      const following = this.#units.get((unit.frameId + 1) >>> 0);
      if (following === undefined) break;
      this.#units.delete(unit.frameId);
      this.#dropped.skipped++;
      unit = following;
    }
    return unit;
  }

  #play(unit: AccessUnit, concealedUs: number): Playout {
    this.#units.delete(unit.frameId);
    this.#waitedUs += Math.max(0, this.#pulledUs - this.#arrivedUs[unit.frameId % ARRIVALS]!);
    this.#emitted++;
    this.#expect(unit);
    this.#concealedInARowUs = 0;
    this.#lastWasEmpty = isEmptyFrame(unit.bytes);
    return { kind: "unit", unit, concealedUs };
  }

  /** The unit after this one is due next. */
  #expect(unit: AccessUnit): void {
    this.#next = (unit.frameId + 1) >>> 0;
    this.#nextCaptureUs = unit.captureTimeUs + this.#frameUs;
    this.#concealedUs = 0;
  }

  #conceal(later: AccessUnit, uncoveredUs: number): Playout {
    // A whole unit may be had from the one behind it; otherwise in steps, since it may still come.
    const isLast = uncoveredUs === this.#frameUs;
    const durationUs = Math.min(STEP_US, uncoveredUs);
    const following = isLast ? later : undefined;
    return this.#concealing({ kind: "lost", durationUs, following }, durationUs);
  }

  #starve(): Playout {
    if (this.#paused) {
      this.reset();
      return SILENCE;
    }
    if (this.#lastWasEmpty) return { kind: "quiet", durationUs: STEP_US };
    return this.#concealing({ kind: "starved", durationUs: STEP_US }, STEP_US);
  }

  /** The whole of the lost unit was made from the one behind it, not only the step that was asked for. */
  concealedWhole(): void {
    this.#concealedUs += this.#frameUs - Math.min(STEP_US, this.#frameUs);
    this.#concealedInARowUs = 0;
  }

  #concealing(playout: Playout, durationUs: number): Playout {
    this.#concealedUs += durationUs;
    this.#concealedInARowUs += durationUs;
    if (this.#concealedInARowUs <= MAX_CONCEALED_US) return playout;
    this.#stop();
    return SILENCE;
  }
}
