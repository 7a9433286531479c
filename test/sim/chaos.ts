/**
 * A random life of some rooms, from a seed: people come, publish, subscribe, move, lose their network, die, are removed.
 * Invariants are looked at as it goes; in the end all is calmed and everybody must agree and be served.
 */
import type { NetworkOptions } from "../../core/session/network-path.ts";
import { LEVEL_PAUSED } from "../../relay/layer-rates.ts";
import type { Relay } from "../../relay/relay.ts";
import { Actor, type Stage } from "./actor.ts";
import { relayFaults, viewFaults } from "./invariants.ts";
import { SimulatedCluster } from "./simulated-cluster.ts";
import { Trace } from "./trace.ts";

export interface ChaosOptions {
  actors: number;
  rooms: number;
  durationMs: number;
  /** Mean time between two random acts. */
  actEveryMs: number;
}

export const SMALL_CHAOS: ChaosOptions = { actors: 9, rooms: 2, durationMs: 15_000, actEveryMs: 60 };

/** Longer than any idle timeout, so that all who are gone are known to be. */
const QUIET_MS = 13_000;
/** Within this, a subscriber of a calm room must receive again. */
const SERVED_WITHIN_MS = 2_000;
/** And within this a picture that was left out because the network carried too little. */
const SHOWN_WITHIN_MS = 15_000;

export interface ChaosResult {
  hash: string;
  units: number;
  joins: number;
}

export class ChaosError extends Error {
  override readonly name = "ChaosError";
}

export class Chaos {
  readonly #options: ChaosOptions;
  readonly #stage: Stage;
  readonly #trace = new Trace();
  readonly #actors: Actor[];
  readonly #faults: string[] = [];
  readonly #seed: number;

  constructor(seed: number, options: ChaosOptions = SMALL_CHAOS) {
    this.#seed = seed;
    this.#options = options;
    this.#stage = {
      cluster: new SimulatedCluster(seed),
      trace: this.#trace,
      tracks: new Map(),
      fault: (sentence) => void this.#faults.push(sentence),
    };
    this.#actors = Array.from(
      { length: options.actors },
      (_, i) => new Actor(`actor-${i}`, `room-${i % options.rooms}`, this.#stage),
    );
  }

  /** Rejects with ChaosError, which names the seed. */
  async run(): Promise<ChaosResult> {
    const { cluster } = this.#stage;
    const relay = await cluster.addRelay("relay1");
    const endUs = cluster.clock.nowUs() + this.#options.durationMs * 1000;
    while (cluster.clock.nowUs() < endUs) {
      this.#act();
      await cluster.clock.advance(cluster.random() * 2 * this.#options.actEveryMs);
      this.#require(relayFaults(relay));
    }
    await this.#calmDown(relay);
    await this.#end(relay);
    const units = this.#actors.reduce((sum, a) => sum + [...a.units.values()].reduce((x, y) => x + y, 0), 0);
    return { hash: this.#trace.hash, units, joins: relay.counters.sessionsAccepted };
  }

  #act(): void {
    const { random, clock } = this.#stage.cluster;
    const actor = this.#actors[Math.floor(random() * this.#actors.length)]!;
    if (actor.member === undefined) return actor.join(this.#weather(), "relay1");
    const dice = random();
    if (dice < 0.2) actor.publish();
    else if (dice < 0.5) actor.subscribe();
    else if (dice < 0.55) actor.unsubscribe();
    else if (dice < 0.62) actor.mute();
    else if (dice < 0.7) actor.chat();
    else if (dice < 0.75) actor.requestKeyframe();
    else if (dice < 0.8) actor.unpublish();
    else if (dice < 0.84) actor.leave();
    else if (dice < 0.87) actor.vanish();
    else if (dice < 0.9) actor.remove(`actor-${Math.floor(random() * this.#actors.length)}`);
    else if (dice < 0.95) actor.move(this.#weather());
    else {
      const mend = actor.cutNetwork();
      clock.after(random() * 14_000, mend);
    }
  }

  #weather(): Partial<NetworkOptions> {
    const { random } = this.#stage.cluster;
    const bad = random() < 0.5;
    return {
      delayMs: 1 + random() * 100,
      jitterMs: random() * 30,
      loss: bad ? random() * 0.2 : 0,
      lossBurst: 1 + random() * 3,
      duplicate: bad ? random() * 0.05 : 0,
      reorder: bad ? random() * 0.05 : 0,
      reorderMs: 20,
      rateBps: random() < 0.2 ? 1_000_000 : 0,
    };
  }

  /** The weather turns fine; after a while everybody must agree with the relay, and receive what they asked for. */
  async #calmDown(relay: Relay): Promise<void> {
    const { clock } = this.#stage.cluster;
    for (const actor of this.#actors) actor.calmNetwork();
    await clock.advance(QUIET_MS);
    this.#require(relayFaults(relay));
    for (const actor of this.#actors) {
      if (actor.member !== undefined) this.#require(viewFaults(relay, actor.room, actor.member));
    }
    const before = this.#actors.map((actor) => new Map(actor.units));
    await clock.advance(SERVED_WITHIN_MS);
    const unserved = (isLate: boolean): string[] =>
      this.#actors.flatMap((actor, i) => this.#unserved(relay, actor, before[i]!, isLate));
    this.#require(unserved(false));
    if (unserved(true).length === 0) return;
    await clock.advance(SHOWN_WITHIN_MS);
    this.#require(unserved(true));
  }

  #unserved(relay: Relay, actor: Actor, before: ReadonlyMap<number, number>, isLate: boolean): string[] {
    const room = relay.rooms.get(actor.room);
    const subscriptions = room?.members.get(actor.identity)?.subscriptions ?? new Map();
    return [...subscriptions]
      .filter(([, { level }]) => isLate || level !== LEVEL_PAUSED)
      .filter(([id]) => room?.tracks.get(id)?.muted === false && actor.units.get(id) === before.get(id))
      .map(([id, { rendition }]) => {
        const publisher = room?.tracks.get(id)?.publisher;
        return `${actor.identity} receives nothing of track ${id}, rendition ${rendition}, of ${publisher}`;
      });
  }

  /** Everybody leaves; nothing may remain. */
  async #end(relay: Relay): Promise<void> {
    const { cluster } = this.#stage;
    for (const actor of this.#actors) actor.leave();
    await cluster.clock.advance(2_000);
    const metrics = relay.metrics();
    for (const gauge of [
      "rooms",
      "participants",
      "tracks",
      "subscriptions",
      "gop_cache_bytes",
      "gop_replays",
    ]) {
      if (!metrics.includes(`tributary_${gauge} 0\n`)) this.#require([`${gauge} is not 0 in the end`]);
    }
    const claims = await cluster.directory.rooms();
    if (claims.length > 0) this.#require([`the directory still has ${claims.length} rooms`]);
    await relay.stop();
    await cluster.clock.advance(20_000);
    if (cluster.clock.waiting > 0) this.#require([`${cluster.clock.waiting} timers still run`]);
  }

  #require(faults: readonly string[]): void {
    const all = [...this.#faults, ...faults];
    if (all.length === 0) return;
    const hint = `seed ${this.#seed}: run it alone with SIM_SEED=${this.#seed} npx vitest run test/sim`;
    throw new ChaosError(`${all.slice(0, 5).join("\n")}\n${hint}\nlast events:\n${this.#trace.tail}`);
  }
}
