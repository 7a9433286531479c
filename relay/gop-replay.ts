/**
 * Sends cached GOPs to late joiners, paced so that neither their network nor the queue of their browser
 * overflows. While it runs, live datagrams reach the subscriber through the cache, in order and once.
 */
import { type Clock, every, type Timer } from "../core/clock.ts";
import type { GopCache } from "./gop-cache.ts";
import type { Subscription } from "./subscription.ts";

const STEP_MS = 5;
/** Sent at once: mostly the whole keyframe of a small picture. */
const FIRST_DATAGRAMS = 32;
/** Then each STEP_MS: 3,200 datagrams a second, about 25 Mb/s. */
const STEP_DATAGRAMS = 16;
/** A link that takes nothing for this many steps goes live without the rest. */
const MAX_IDLE_STEPS = 400;

interface Replay {
  readonly subscription: Subscription;
  readonly cache: GopCache;
  generation: number;
  next: number;
  idleSteps: number;
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

  /** Starts with what the cache holds; the subscription is live when it has caught up. Returns false for an empty cache. */
  start(subscription: Subscription, cache: GopCache): boolean {
    if (cache.count === 0) return false;
    const replay = { subscription, cache, generation: cache.generation, next: 0, idleSteps: 0 };
    subscription.replaying = true;
    if (this.#advance(replay, FIRST_DATAGRAMS)) return true;
    this.#running.push(replay);
    this.#timer ??= every(this.#clock, STEP_MS, () => this.#step());
    return true;
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
