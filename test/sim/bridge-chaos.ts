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
  const cluster = new BridgeCluster({ seed, capacity: jobs, stopMs: 50 });
  const { random, clock, directory } = cluster;
  const wanted = new Set<string>();
  const happened: Record<string, number> = {};
  let made = 0;
  const put = async (): Promise<void> => {
    const id = `job-${10_000 + made++}`;
    await directory.putJob(recordingJob(id));
    wanted.add(id);
  };
  const any = (list: Iterable<string>): string => {
    const all = [...list];
    return all[Math.floor(random() * all.length)] ?? "";
  };
  for (let n = 0; n < bridges; n++) cluster.add(`bridge-${n}`);
  for (let n = 0; n < jobs; n++) await put();
  await clock.advance(5_000);
  const cut = new Set<string>();
  const actions: Record<string, () => Promise<void> | void> = {
    replace: async () => {
      const id = any(wanted);
      await directory.deleteJob(id);
      wanted.delete(id);
      await put();
    },
    fail: () => {
      const run = cluster.running()[Math.floor(random() * cluster.running().length)];
      run?.end({ failed: true, message: "played" });
    },
    kill: () => {
      const id = any(cluster.bridges.keys());
      cluster.kill(id);
      cut.delete(id);
      clock.after(random() * 2 * TTL_MS, () => cluster.add(id));
    },
    drain: () => {
      const id = any(cluster.bridges.keys());
      const bridge = cluster.bridges.get(id);
      if (!bridge || cut.has(id)) return;
      cluster.bridges.delete(id);
      void bridge.runner.close().then(() => cluster.add(id));
    },
    cut: () => {
      const id = any(cluster.bridges.keys());
      if (id === "" || cut.has(id)) return;
      const bridge = cluster.bridges.get(id);
      cut.add(id);
      bridge?.directory.cut();
      clock.after(random() * 3 * TTL_MS, () => {
        bridge?.directory.mend();
        cut.delete(id);
      });
    },
    // Whoever knows what was wanted is let live until it is there again: nobody else could tell.
    forget: async () => {
      if (cut.size > 0 || random() < 0.5) return;
      directory.forget();
      happened.forgot = (happened.forgot ?? 0) + 1;
      await clock.advance(2 * TTL_MS);
    },
  };
  for (let step = 0; step < steps; step++) {
    const name = any(Object.keys(actions));
    happened[name] = (happened[name] ?? 0) + 1;
    // One bridge at least is there and hears, so that somebody knows what is wanted.
    const isLast = cluster.bridges.size - cut.size <= 1;
    if (!(isLast && ["kill", "drain", "cut"].includes(name))) await actions[name]?.();
    await clock.advance(random() * 2_000);
  }
  await clock.advance(10 * TTL_MS);
  return {
    overlapMs: cluster.longestOverlapMs(),
    wanted: [...wanted].sort(),
    running: cluster
      .running()
      .map(({ jobId }) => jobId)
      .sort(),
    happened,
  };
}
