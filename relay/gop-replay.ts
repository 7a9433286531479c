/**
 * Sends cached GOPs to late joiners, paced so that the queue of their browser does not overflow. A GOP that has grown long would fill a
 * small network for seconds: there a new keyframe is waited for, unless many would have to take it. While a replay runs, live
 * datagrams reach the subscriber through the cache, in order and once.
 */
import { type Clock, every, type Timer } from "../core/clock.ts";
import type { GopCache } from "./gop-cache.ts";
import type { Subscription } from "./subscription.ts";

const STEP_MS = 5;
/** Sent at once: mostly the whole keyframe of a small picture. */
const FIRST_DATAGRAMS = 32;
/** Then each STEP_MS: 3,200 datagrams a second, about 25 Mb/s. */
const STEP_DATAGRAMS = 16;
/** A joiner is sent this much of the past, and so much more for each other subscriber, whom a keyframe would cost too. */
const REPLAY_BYTES = 48 * 1024;
const REPLAY_BYTES_PER_OTHER = 16 * 1024;
/** The past is better than no picture: a keyframe is waited for this many steps. */
const MAX_WAIT_STEPS = 300;
/** A link that takes nothing for this many steps goes live without the rest. */
const MAX_IDLE_STEPS = 400;

interface Replay {
  readonly subscription: Subscription;
  readonly cache: GopCache;
  generation: number;
  next: number;
  idleSteps: number;
  /** Steps left to wait for a keyframe. */
  waitSteps: number;
}

export class GopReplays {
  readonly #clock: Clock;
  #running: Replay[] = [];
  #timer: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get running(): number {
    return this.#running.length;
  }

  /**
   * Starts with what the cache holds; the subscription is live when it has caught up. Returns false when a keyframe should be
   * asked for: the cache is empty, or too long for one of `subscribers`.
   */
  start(subscription: Subscription, cache: GopCache, subscribers: number): boolean {
    if (cache.count === 0) return false;
    const isShort = cache.byteLength <= REPLAY_BYTES + (subscribers - 1) * REPLAY_BYTES_PER_OTHER;
    const waitSteps = isShort ? 0 : MAX_WAIT_STEPS;
    const replay = { subscription, cache, generation: cache.generation, next: 0, idleSteps: 0, waitSteps };
    subscription.replaying = true;
    if (this.#advance(replay, FIRST_DATAGRAMS)) return isShort;
    this.#running.push(replay);
    this.#timer ??= every(this.#clock, STEP_MS, () => this.#step());
    return isShort;
  }

  #step(): void {
    this.#running = this.#running.filter((replay) => !this.#advance(replay, STEP_DATAGRAMS));
    if (this.#running.length > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** Sends up to `limit` datagrams. Returns true when the replay is over. */
  #advance(replay: Replay, limit: number): boolean {
    const { subscription, cache } = replay;
    // Unsubscribed, moved to another rendition or unpublished.
    if (!subscription.replaying) return true;
    if (cache.generation !== replay.generation) {
      // A newer keyframe makes the rest of the old GOP needless; an emptied cache leaves nothing to replay.
      replay.generation = cache.generation;
      replay.next = 0;
      replay.waitSteps = 0;
    }
    if (replay.waitSteps > 0) {
      replay.waitSteps--;
      return false;
    }
    let budget = limit;
    for (; replay.next < cache.count && budget > 0; replay.next++) {
      const datagram = cache.datagram(replay.next);
      if (!subscription.wants(datagram)) continue;
      const drop = subscription.send(datagram, this.#clock.nowUs());
      if (drop === "queue-full" || drop === "link-congested" || drop === "pacer-full") break;
      budget--;
    }
    replay.idleSteps = budget === limit ? replay.idleSteps + 1 : 0;
    const over = replay.next >= cache.count || replay.idleSteps > MAX_IDLE_STEPS;
    if (over) subscription.replaying = false;
    return over;
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#running = [];
  }
}
