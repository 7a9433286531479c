import { describe, expect, it } from "vitest";
import { CAMERA, SimulatedCluster } from "../test/sim/simulated-cluster.ts";
import { Histogram } from "./histogram.ts";
import { MetricsText } from "./metrics-text.ts";
import { PlaceLog } from "./tree/place-log.ts";

describe("metrics of a relay in a tree", () => {
  it("tell hops to participants from links to relays, and outlive both", async () => {
    const sim = new SimulatedCluster(3);
    sim.networkBetween = () => ({ delayMs: 40 });
    const root = await sim.addRelay("relay1", "eu");
    const child = await sim.addRelay("relay2", "us");
    const { clock } = sim;
    const ada = await sim.joined({ identity: "ada", relayId: "relay1", network: { delayMs: 5 } });
    const bob = await sim.joined({ identity: "bob", relayId: "relay2" });
    const track = await clock.until(ada.participant.publish(CAMERA));
    await clock.advance(3_000);
    await clock.until(bob.participant.subscribe(track.trackId));
    await clock.advance(2_000);
    const text = root.metrics();
    expect(text).toContain("# TYPE tributary_tree_link_rtt_seconds histogram\n");
    expect(text).toMatch(/^tributary_tree_link_rtt_seconds_bucket\{relay="relay2",le="0.04"\} 0$/m);
    expect(text).toMatch(/^tributary_tree_link_rtt_seconds_bucket\{relay="relay2",le="0.15"\} [1-9]\d*$/m);
    expect(text).toMatch(/^tributary_participant_rtt_seconds_bucket\{le="0.02"\} [1-9]\d*$/m);
    expect(text).toMatch(/^tributary_root_rooms 1$/m);
    expect(child.metrics()).toMatch(/^tributary_root_rooms 0$/m);
    const sentOn = (hop: string): number =>
      Number(
        new RegExp(`^tributary_link_datagrams_sent_total{hop="${hop}"} (\\d+)$`, "m").exec(
          root.metrics(),
        )?.[1],
      );
    const before = { participants: sentOn("participants"), relays: sentOn("relays") };
    expect(before.relays).toBeGreaterThan(10);
    await clock.until(bob.participant.leave());
    await clock.until(ada.participant.leave());
    await clock.advance(5_000);
    expect(root.metrics()).toContain("tributary_tree_links 0\n");
    expect(sentOn("relays")).toBeGreaterThanOrEqual(before.relays);
    expect(sentOn("participants")).toBeGreaterThanOrEqual(before.participants);
  });

  it("count fail-overs and moves in the tree", async () => {
    const sim = new SimulatedCluster(4);
    for (const id of ["relay1", "relay2"]) await sim.addRelay(id, id);
    const { clock, relays } = sim;
    const ada = await sim.joined({ identity: "ada", relayId: "relay1" });
    await sim.joined({ identity: "bob", relayId: "relay2" });
    await clock.advance(1_000);
    void relays.get("relay1")!.drain(5_000);
    await clock.advance(500);
    await clock.until(sim.move(ada, { relayId: "relay2" }));
    await clock.advance(6_000);
    const text = relays.get("relay2")!.metrics();
    expect(text).toContain("tributary_sessions_resumed_total 1\n");
    expect(text).toContain('tributary_tree_moves_total{to="root"} 1\n');
  });
});

describe("a histogram", () => {
  it("counts a value on a bound below it, and shows buckets added up", () => {
    const histogram = new Histogram([1, 2]);
    for (const value of [0.5, 1, 1.5, 7]) histogram.push(value);
    const text = new MetricsText();
    text.histograms("h", "Help.", [[{ a: "b" }, histogram]]);
    expect(String(text).split("\n")).toEqual([
      "# HELP h Help.",
      "# TYPE h histogram",
      'h_bucket{a="b",le="1"} 2',
      'h_bucket{a="b",le="2"} 3',
      'h_bucket{a="b",le="+Inf"} 4',
      'h_sum{a="b"} 10',
      'h_count{a="b"} 4',
      "",
    ]);
  });
});

describe("a log of places", () => {
  it("counts what is left for another place, not what is lost and found again", () => {
    const log = new PlaceLog();
    const under = (id: string | undefined) => (id === undefined ? undefined : { relay: { id } });
    const tree = { isRoot: false, isProvisional: false, parent: under("a") };
    for (const id of ["a", undefined, "a", "b", undefined]) {
      tree.parent = under(id);
      log.look(tree);
    }
    log.look({ ...tree, isRoot: true });
    log.look(Object.assign(tree, { isRoot: true }));
    expect(log.moves).toEqual({ parent: 1, root: 1 });
  });
});
