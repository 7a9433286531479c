/**
 * `npm run bench -- cluster`: clusters of relays that are killed, parted and left without their directory, simulated with the real relays and
 * participants: no loop at any moment, everybody heard again within two seconds of the last fault, the same room on every relay, nothing left.
 * One row for each so many seeds; a seed that fails is named with the command that repeats it.
 */
import { SMALL_TREE_CHAOS, TreeChaos } from "../test/sim/tree-chaos.ts";
import { note, readOptions, reportRow } from "./report.ts";

const small = SMALL_TREE_CHAOS;
const options = readOptions({
  seeds: { default: 100, min: 1, max: 1_000_000, whole: true, about: "how many" },
  first: { default: 1, min: 0, max: 2 ** 31, whole: true, about: "the first one" },
  "row-seeds": { default: 50, min: 1, max: 1_000_000, whole: true, about: "seeds of one row" },
  relays: { default: small.relays, min: 3, max: 1_000, whole: true, about: "relays" },
  regions: { default: small.regions, min: 1, max: 100, whole: true, about: "regions they are in" },
  rooms: { default: small.rooms, min: 1, max: 10_000, whole: true, about: "rooms" },
  participants: { default: small.participants, min: 2, max: 100_000, whole: true, about: "in all rooms" },
  seconds: { default: small.durationMs / 1000, min: 1, max: 3_600, about: "time in which things happen" },
  unit: { default: small.unitEveryMs, min: 10, max: 500, about: "between two units of a speaker, ms" },
  every: { default: small.actEveryMs, min: 10, max: 60_000, about: "mean time between two of them, ms" },
});

const { relays, regions, rooms, participants } = options;
const settings = {
  ...small,
  relays,
  regions,
  rooms,
  participants,
  durationMs: options.seconds * 1000,
  actEveryMs: options.every,
  unitEveryMs: options.unit,
};
const end = options.first + options.seeds;
for (let first = options.first; first < end; first += options["row-seeds"]) {
  const last = Math.min(end, first + options["row-seeds"]) - 1;
  let failed = 0;
  let kills = 0;
  let units = 0;
  for (let seed = first; seed <= last; seed++) {
    try {
      const result = await new TreeChaos(seed, settings).run();
      kills += result.kills;
      units += result.units;
    } catch (error) {
      failed++;
      note(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  reportRow({
    bench: "cluster",
    row: { first, last, relays, regions, rooms, participants },
    figures: { failed, kills, units },
    target: { failed: "<= 0" },
  });
}
