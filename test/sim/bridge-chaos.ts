/** Seeded churn of a cluster of bridges: jobs come and go, bridges die, drain, lose the directory, and the directory loses its memory. */
import { recordingJob } from "../../core/directory/bridge-directory-harness.contract.ts";
import { BridgeCluster, TTL_MS } from "./bridge-cluster.ts";

export interface BridgeChaosOptions {
  seed: number;
  bridges: number;
  jobs: number;
  /** Things that happen, about one a second. */
  steps: number;
}

export interface BridgeChaosOutcome {
  /** Longest time that any job ran twice. */
  overlapMs: number;
  /** Jobs that are wanted and run, after everything has come to rest, and how often each. */
  wanted: string[];
  running: string[];
  /** How often what happened. */
  happened: Record<string, number>;
}

export async function bridgeChaos(options: BridgeChaosOptions): Promise<BridgeChaosOutcome> {
  const { seed, bridges, jobs, steps } = options;
  const chaos = new BridgeChaos(seed, jobs);
  const { cluster, happened } = chaos;
  const { random, clock } = cluster;
  for (let n = 0; n < bridges; n++) cluster.add(`bridge-${n}`);
  for (let n = 0; n < jobs; n++) await chaos.put();
  await clock.advance(5_000);
  for (let step = 0; step < steps; step++) {
    await chaos.step();
    await clock.advance(random() * 2_000);
  }
  await clock.advance(10 * TTL_MS);
  return {
    overlapMs: cluster.longestOverlapMs(),
    wanted: [...chaos.wanted].sort(),
    running: cluster
      .running()
      .map(({ jobId }) => jobId)
      .sort(),
    happened,
  };
}

class BridgeChaos {
  readonly cluster: BridgeCluster;
  readonly wanted = new Set<string>();
  readonly happened: Record<string, number> = {};
  /** Bridges that do not reach the directory. */
  readonly #cut = new Set<string>();
  #made = 0;

  constructor(seed: number, capacity: number) {
    this.cluster = new BridgeCluster({ seed, capacity, stopMs: 50 });
  }

  async put(): Promise<void> {
    const id = `job-${10_000 + this.#made++}`;
    await this.cluster.directory.putJob(recordingJob(id));
    this.wanted.add(id);
  }

  async step(): Promise<void> {
    const actions: Record<string, () => Promise<void> | void> = {
      replace: () => this.#replace(),
      fail: () => this.#fail(),
      forget: () => this.#forget(),
    };
    // One bridge at least is there and hears, so that somebody knows what is wanted.
    if (this.cluster.bridges.size - this.#cut.size > 1) {
      const id = this.#any(this.cluster.bridges.keys());
      actions.kill = () => this.#kill(id);
      actions.drain = () => this.#drain(id);
      actions.cut = () => this.#cutOff(id);
    }
    const name = this.#any(Object.keys(actions));
    this.#count(name);
    await actions[name]?.();
  }

  async #replace(): Promise<void> {
    const id = this.#any(this.wanted);
    await this.cluster.directory.deleteJob(id);
    this.wanted.delete(id);
    await this.put();
  }

  #fail(): void {
    const running = this.cluster.running();
    running[Math.floor(this.cluster.random() * running.length)]?.end({ failed: true, message: "played" });
  }

  /** Whoever knows what was wanted is let live until it is there again: nobody else could tell. */
  async #forget(): Promise<void> {
    if (this.#cut.size > 0 || this.cluster.random() < 0.5) return;
    this.#count("forgot");
    this.cluster.directory.forget();
    await this.cluster.clock.advance(2 * TTL_MS);
  }

  #kill(id: string): void {
    const { cluster } = this;
    cluster.kill(id);
    this.#cut.delete(id);
    cluster.clock.after(cluster.random() * 2 * TTL_MS, () => cluster.add(id));
  }

  #drain(id: string): void {
    const { cluster } = this;
    const bridge = cluster.bridges.get(id);
    if (!bridge || this.#cut.has(id)) return;
    cluster.bridges.delete(id);
    void bridge.runner.close().then(() => cluster.add(id));
  }

  #cutOff(id: string): void {
    const bridge = this.cluster.bridges.get(id);
    if (!bridge || this.#cut.has(id)) return;
    this.#cut.add(id);
    bridge.directory.cut();
    this.cluster.clock.after(this.cluster.random() * 3 * TTL_MS, () => {
      bridge.directory.mend();
      if (this.cluster.bridges.get(id) === bridge) this.#cut.delete(id);
    });
  }

  #any(list: Iterable<string>): string {
    const all = [...list];
    return all[Math.floor(this.cluster.random() * all.length)] ?? "";
  }

  #count(name: string): void {
    this.happened[name] = (this.happened[name] ?? 0) + 1;
  }
}
