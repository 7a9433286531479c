/**
 * One remote picture: access units -> decode order -> decoder -> bounded queue -> canvases, each frame at its
 * time on the playout clock: the sound's of the same person, or its own when there is no sound.
 */
import type { AccessUnit } from "../../core/delivery/access-unit.ts";
import { evenWorth } from "../../core/media/cheapest-delay.ts";
import { DecodeOrder } from "../../core/media/decode-order.ts";
import { DelayHistogram } from "../../core/media/delay-histogram.ts";
import { FreezeMeter } from "../../core/media/freeze-meter.ts";
import { RateMeter } from "../../core/media/rate-meter.ts";
import { Reordering } from "../../core/media/reordering.ts";
import { SlidingMedian } from "../../core/media/sliding-median.ts";
import type { AudioReceiver } from "./audio-receiver.ts";
import { CatchUp } from "./catch-up.ts";
import { PictureBoard } from "./picture-board.ts";
import { PictureDecoder } from "./picture-decoder.ts";
import { workerClock } from "./worker-clock.ts";

/** Decoded frames waiting for their time; at more the oldest is dropped (`queue-full`). */
const MAX_WAITING_FRAMES = 24;
/** Units in the decoder; at more it is started over at a keyframe (`decoder-busy`). */
const MAX_DECODING = 60;
/** The same while a late joiner catches up: the relay replays up to a few seconds at once. */
const MAX_DECODING_PAST = 300;
/** Share of pictures that should be in time, unless one per cent of them costs more delay than this. */
const QUANTILE = 0.95;
const pictureWorth = evenWorth(15_000);
/** Less where the sound would have to wait with it. */
const worthWithSound = evenWorth(10_000);
/** More within what the sound leaves free: pictures that come late hold up nobody else. */
const worthBesideSound = evenWorth(25_000);
/** From complete arrival to decoded. */
const DECODE_ALLOWANCE_US = 8_000;
/** Sound may be ahead of the picture by this much before the sound is asked to wait; with what single pictures are late by, it stays below 45 ms (ITU-R BT.1359). */
const DEAD_BAND_US = 25_000;
/** Behind it by up to this much it is where fewer pictures are late then. */
const PICTURE_BEHIND_US = 10_000;
/** The picture may be ahead of its sound by this much: viewers notice sound that is late from 125 ms on (ITU-R BT.1359). */
const PICTURE_AHEAD_US = 15_000;
const MAX_SYNC_DELAY_US = 300_000;
/** The delay moves by at most this much a frame, unless it is far off. */
const SLEW_US = 2_000;
const JUMP_US = 150_000;
/** A frame that is later than this is not shown when the decoder has a newer one already in work. */
const STALE_US = 40_000;
/** But after so long without a picture any is better than none. */
const MAX_STALL_US = 150_000;
const OUTDATED_WAIT_MS = 10;
/** A frame may be shown this much early, rather than set a timer for it. */
const EARLY_US = 1_500;
/** A missing unit is waited for this long after the frames behind it were due. */
const GIVE_UP_AFTER_US = 300_000;
/** A picture goes to the decoder this long before it is due, whatever is missing that it does not need. */
const RELEASE_EARLY_US = 12_000;
const KEYFRAME_REQUEST_GAP_US = 400_000;
/** From drawing on a worker's canvas to the screen: what is drawn waits for the page's next refresh, and some more as measured from outside. */
const DISPLAY_LATENCY_US = 22_000;

/** `past`: replayed for the decoder's sake, and not to be seen any more. */
export type VideoDrop = "superseded" | "queue-full" | "decoder-busy" | "past";

interface WaitingFrame {
  frame: VideoFrame;
  captureUs: number;
}

export interface VideoReceiverEvents {
  requestKeyframe(): void;
  onSize(width: number, height: number): void;
  onError(message: string): void;
  /** The decoder fails again and again: there will be no picture. */
  onUndecodable(message: string): void;
}

export class VideoReceiver {
  readonly board = new PictureBoard();
  /** The sound that this picture belongs to. */
  sound: AudioReceiver | undefined;
  readonly order = new DecodeOrder();
  readonly freezes = new FreezeMeter();
  readonly captureToRenderMs = new SlidingMedian(150);
  readonly avOffsetMs = new SlidingMedian(60);
  readonly frameRate = new RateMeter();
  readonly rate = new RateMeter();
  readonly dropped: Record<VideoDrop, number> = {
    superseded: 0,
    "queue-full": 0,
    "decoder-busy": 0,
    past: 0,
  };
  framesDecoded = 0;
  framesRendered = 0;
  keyFrames = 0;
  width = 0;
  height = 0;
  timeToFirstUs: number | undefined;
  readonly #events: VideoReceiverEvents;
  readonly #joinCalledUs: number;
  readonly #catchUp = new CatchUp();
  readonly #reordering = new Reordering();
  #histogram = new DelayHistogram(QUANTILE, pictureWorth);
  readonly #waiting: WaitingFrame[] = [];
  #minDelayUs: number;
  #maxDelayUs: number;
  readonly #decoder: PictureDecoder;
  #delayUs: number | undefined;
  #syncDelayUs = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #releaseTimer: ReturnType<typeof setTimeout> | undefined;
  #lastRequestUs = 0;
  /** Time of the unit that the decoder was given last. */
  #submittedUs = 0;
  #shownUs = 0;
  #over = false;

  constructor(
    bounds: { minDelayUs: number; maxDelayUs: number },
    joinCalledUs: number,
    events: VideoReceiverEvents,
  ) {
    this.#minDelayUs = bounds.minDelayUs;
    this.#maxDelayUs = bounds.maxDelayUs;
    this.#joinCalledUs = joinCalledUs;
    this.#events = events;
    this.#decoder = new PictureDecoder({
      onFrame: (frame) => this.#onFrame(frame),
      onFailed: (message) => {
        events.onError(message);
        this.order.reset();
        this.#askForKeyframe(workerClock.nowUs());
      },
      onUndecodable: (message) => events.onUndecodable(message),
    });
  }

  /** Decodes units of this codec from now on, which this browser must be able to; the picture that is shown stays. */
  setCodec(codec: string): void {
    if (!this.#over && this.#decoder.setCodec(codec)) this.order.reset();
  }

  get jitterMs(): number {
    return this.#histogram.jitterUs / 1000;
  }

  /** From capture to canvas as aimed at now. */
  get delayMs(): number | undefined {
    return this.#delayUs === undefined ? undefined : this.#delayUs / 1000;
  }

  /** Bounds of the delay in microseconds, where there is no sound to follow. */
  setBounds(minDelayUs: number, maxDelayUs: number): void {
    this.#minDelayUs = minDelayUs;
    this.#maxDelayUs = maxDelayUs;
  }

  /** Takes a unit; its capture time must be on the local clock. */
  push(unit: AccessUnit, arrivedUs: number): void {
    this.rate.push(unit.bytes.length * 8, arrivedUs);
    // The way of what was replayed says nothing about the way of what comes now.
    if (this.#catchUp.push(unit.captureTimeUs, arrivedUs))
      this.#histogram = new DelayHistogram(QUANTILE, pictureWorth);
    this.#histogram.push(unit.captureTimeUs, arrivedUs);
    this.order.push(unit, arrivedUs, this.#decode);
    const blockedUs = this.order.blockedSinceUs;
    if (blockedUs !== undefined && arrivedUs - blockedUs > GIVE_UP_AFTER_US + this.#histogram.targetUs()) {
      this.order.giveUp(arrivedUs, this.#decode);
    }
    this.#release(arrivedUs);
    if (this.order.needsKeyframe) this.#askForKeyframe(arrivedUs);
  }

  /** What is due no longer waits for missing pictures that it does not need. */
  #release(nowUs: number): void {
    clearTimeout(this.#releaseTimer);
    const earlierUs = (this.#delayUs ?? 0) - RELEASE_EARLY_US;
    this.order.release(nowUs - earlierUs, nowUs, this.#decode);
    const heldUpUs = this.order.heldUpCaptureUs;
    if (heldUpUs === undefined) return;
    const waitMs = Math.max(1, (heldUpUs + earlierUs - nowUs) / 1000);
    this.#releaseTimer = setTimeout(() => this.#release(workerClock.nowUs()), waitMs);
  }

  /** One more canvas; it gets the picture that is shown now. */
  attach(canvasId: number, canvas: OffscreenCanvas): void {
    if (this.board.attach(canvasId, canvas)) this.#noteFirst(workerClock.nowUs());
  }

  /** The picture stops on purpose (mute): no freeze. */
  pause(): void {
    this.freezes.pause();
  }

  /** The stream starts over (reconnect); what is shown stays. */
  reset(): void {
    this.order.reset();
    this.#catchUp.reset();
    this.#delayUs = undefined;
    this.freezes.pause();
  }

  close(): void {
    this.#over = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#releaseTimer);
    for (const waiting of this.#waiting.splice(0)) waiting.frame.close();
    this.board.clear();
    this.#decoder.close();
    this.sound?.jitter.setSyncDelay(0);
  }

  readonly #decode = (unit: AccessUnit): void => {
    const decoder = this.#decoder;
    if (!decoder.isOpen) return;
    const limit = this.#catchUp.isPast(unit.captureTimeUs) ? MAX_DECODING_PAST : MAX_DECODING;
    if (decoder.waiting > limit) {
      this.dropped["decoder-busy"]++;
      this.order.reset();
      return;
    }
    if (unit.keyframe) this.keyFrames++;
    this.#reordering.push(unit.captureTimeUs);
    this.#submittedUs = Math.round(unit.captureTimeUs);
    decoder.decode(unit.keyframe, this.#submittedUs, unit.bytes);
  };

  #askForKeyframe(nowUs: number): void {
    if (nowUs - this.#lastRequestUs < KEYFRAME_REQUEST_GAP_US) return;
    this.#lastRequestUs = nowUs;
    this.#events.requestKeyframe();
  }

  #onFrame(frame: VideoFrame): void {
    if (this.#over) return frame.close();
    this.framesDecoded++;
    if (frame.displayWidth !== this.width || frame.displayHeight !== this.height) {
      this.width = frame.displayWidth;
      this.height = frame.displayHeight;
      this.#events.onSize(this.width, this.height);
    }
    if (this.#catchUp.isPast(frame.timestamp)) return this.#onPastFrame(frame);
    this.#waiting.push({ frame, captureUs: frame.timestamp });
    if (this.#waiting.length > MAX_WAITING_FRAMES) {
      this.#waiting.shift()?.frame.close();
      this.dropped["queue-full"]++;
    }
    this.#follow(workerClock.nowUs());
    this.#present();
  }

  /** The first one is better than none; the rest would only play the past in fast motion. */
  #onPastFrame(frame: VideoFrame): void {
    if (this.board.hasPicture) {
      frame.close();
      this.dropped.past++;
      return;
    }
    this.board.show(frame);
    if (this.board.size > 0) this.#noteFirst(workerClock.nowUs());
  }

  #noteFirst(nowUs: number): void {
    if (this.timeToFirstUs !== undefined) return;
    this.timeToFirstUs = nowUs - this.#joinCalledUs;
    this.framesRendered++;
  }

  /** From capture to canvas, for a wait that begins with the fastest arrival. */
  #delayFor(waitUs: number): number {
    const ownUs = Math.max(this.#minDelayUs, waitUs) + DECODE_ALLOWANCE_US + this.#reordering.delayUs;
    return this.#histogram.baseUs + Math.min(this.#maxDelayUs, ownUs);
  }

  /** Moves the delay towards what network and sound ask for. */
  #follow(nowUs: number): void {
    const own = this.#delayFor(this.#histogram.targetUs());
    const heard = this.sound?.playout.delayUs(nowUs);
    // Drawn this much before the sound is heard, the picture is seen together with it.
    const sound = heard === undefined ? undefined : heard - DISPLAY_LATENCY_US;
    let wanted = own;
    if (sound !== undefined && this.sound !== undefined) {
      const leastUs = sound - PICTURE_AHEAD_US - this.#delayFor(0);
      const beside = this.#delayFor(this.#histogram.targetUs(worthBesideSound, leastUs));
      const least = Math.max(sound - PICTURE_AHEAD_US, Math.min(beside, sound + PICTURE_BEHIND_US));
      wanted = Math.max(least, Math.min(own, sound + DEAD_BAND_US));
      // The picture cannot keep up with the sound: the sound waits a little more each frame, or less again.
      const missingUs = this.#delayFor(this.#histogram.targetUs(worthWithSound)) - DEAD_BAND_US - sound;
      this.#syncDelayUs = Math.min(MAX_SYNC_DELAY_US, Math.max(0, this.#syncDelayUs + missingUs * 0.05));
      const { jitter } = this.sound;
      jitter.setSyncDelay(this.#syncDelayUs > 0 ? jitter.ownTargetUs + this.#syncDelayUs : 0);
    }
    const differenceUs = wanted - (this.#delayUs ?? wanted);
    this.#delayUs =
      this.#delayUs === undefined || Math.abs(differenceUs) > JUMP_US
        ? wanted
        : this.#delayUs + Math.min(SLEW_US, Math.max(-SLEW_US, differenceUs));
  }

  #present(): void {
    clearTimeout(this.#timer);
    const nowUs = workerClock.nowUs();
    const delayUs = this.#delayUs ?? 0;
    let due: WaitingFrame | undefined;
    while (this.#waiting.length > 0) {
      const next = this.#waiting[0]!;
      // The very first picture is shown at once, whatever its time.
      const isDue = next.captureUs + delayUs <= nowUs + EARLY_US || !this.board.hasPicture;
      if (!isDue) break;
      this.#waiting.shift();
      if (due !== undefined) {
        due.frame.close();
        this.dropped.superseded++;
      }
      due = next;
      if (!this.board.hasPicture) break;
    }
    if (due !== undefined && this.#isOutdated(due, nowUs)) {
      this.#waiting.unshift(due);
      this.#timer = setTimeout(() => this.#present(), OUTDATED_WAIT_MS);
      return;
    }
    if (due !== undefined) this.#show(due, nowUs);
    const next = this.#waiting[0];
    if (next === undefined) return;
    const waitMs = Math.max(0, (next.captureUs + delayUs - nowUs) / 1000);
    this.#timer = setTimeout(() => this.#present(), waitMs);
  }

  /** A unit that came back late frees those behind it, all at once: the picture goes on with the newest of them. */
  #isOutdated(frame: WaitingFrame, nowUs: number): boolean {
    if (this.#reordering.delayUs > 0) return false;
    if (this.#waiting.length > 0 || frame.captureUs >= this.#submittedUs) return false;
    const lateUs = nowUs - frame.captureUs - (this.#delayUs ?? 0);
    return lateUs > STALE_US && nowUs - this.#shownUs < MAX_STALL_US;
  }

  #show(due: WaitingFrame, nowUs: number): void {
    this.#shownUs = nowUs;
    if (this.board.size > 0) {
      if (this.timeToFirstUs === undefined) this.#noteFirst(nowUs);
      else this.framesRendered++;
      this.frameRate.push(1, nowUs);
      this.freezes.push(nowUs);
      const seenUs = nowUs + DISPLAY_LATENCY_US;
      this.captureToRenderMs.push((seenUs - due.captureUs) / 1000);
      const heardUs = this.sound?.playout.captureAt(seenUs);
      if (heardUs !== undefined) this.avOffsetMs.push((heardUs - due.captureUs) / 1000);
    }
    this.board.show(due.frame);
  }
}
