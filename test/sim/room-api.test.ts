/** The room API of a gateway in front of real relays: a room on several of them is one room. */
import { describe, expect, it } from "vitest";
import { createGateway } from "../../gateway/app.ts";
import { readGatewayConfig } from "../../gateway/config.ts";
import type { TreeNode } from "../../gateway/room-tree.ts";
import { generateTicketKey } from "../../gateway/ticket-key.ts";
import { createOperationsApp } from "../../relay/operations.ts";
import { CAMERA, SimulatedCluster, unitOf } from "./simulated-cluster.ts";

const SECRET = "a-secret-of-at-least-32-characters-for-tests";

async function clusterWithGateway(...relays: [string, string][]) {
  const sim = new SimulatedCluster(3);
  for (const [id, region] of relays) await sim.addRelay(id, region);
  const operations = new Map(
    [...sim.relays].map(([id, relay]) => [
      `${id}.test`,
      createOperationsApp({ relay, verifyServiceToken: async () => undefined }),
    ]),
  );
  const gateway = createGateway({
    directory: sim.directory,
    clock: sim.clock,
    config: readGatewayConfig({ TRIBUTARY_API_KEYS: `app:${SECRET}` }),
    ticketKey: await generateTicketKey(),
    fetch: async (input, init) =>
      operations.get(new URL(String(input)).hostname)!.request(String(input), init),
    log: () => undefined,
    guests: false,
    version: "0.0.0",
    clientAddress: () => undefined,
  });
  const call = async (path: string, method = "GET"): Promise<unknown> => {
    const headers = { authorization: `Bearer app:${SECRET}` };
    const response = await gateway.request(path, { method, headers });
    expect(response.status).toBe(200);
    return response.json();
  };
  return { sim, call };
}

describe("the room API of a room on three relays", () => {
  it("lists it once, draws its tree with figures, and removes people wherever they are", async () => {
    const { sim, call } = await clusterWithGateway(["relay1", "eu"], ["relay2", "us"], ["relay3", "us"]);
    const { clock } = sim;
    sim.networkBetween = () => ({ delayMs: 30, loss: 0.05 });
    const ada = await sim.joined({ identity: "ada", relayId: "relay1" });
    const bob = await sim.joined({ identity: "bob", relayId: "relay2" });
    await clock.advance(300);
    const cyd = await sim.joined({ identity: "cyd", relayId: "relay3" });
    await clock.advance(300);
    const track = await clock.until(ada.participant.publish(CAMERA));
    await clock.advance(300);
    await clock.until(cyd.participant.subscribe(track.trackId));
    for (let frameId = 0; frameId < 90; frameId++) {
      track.send(unitOf(frameId, clock.nowUs(), { keyframe: frameId === 0 }));
      await clock.advance(33);
    }
    expect(await call("/v1/rooms")).toMatchObject({
      rooms: [{ room: "room", participants: 3, tracks: 1, relays: ["relay1", "relay2", "relay3"] }],
    });
    const detail = (await call("/v1/rooms/room")) as { members: { identity: string }[] };
    expect(detail.members.map(({ identity }) => identity).sort()).toEqual(["ada", "bob", "cyd"]);

    const tree = (await call("/v1/rooms/room/tree")) as { root: TreeNode };
    expect(tree).toMatchObject({ room: "room", participants: 3, tracks: 1, adrift: [], unreachable: [] });
    expect(tree.root).toMatchObject({ relayId: "relay1", region: "eu", reachable: true, participants: 1 });
    const [us] = tree.root.children;
    expect(tree).toMatchObject({ deputy: us?.relayId });
    expect(us?.children).toHaveLength(1);
    const { down, up } = us?.link ?? {};
    expect(down).toMatchObject({ tracksOut: 1, tracksIn: 0, silent: false, leaving: false });
    expect(up).toMatchObject({ relayId: "relay1", tracksOut: 0, tracksIn: 1 });
    expect(down?.rttMs).toBeGreaterThan(55);
    expect(down?.rttMs).toBeLessThan(80);
    expect(down?.lossOut).toBeGreaterThan(0);
    expect(down?.repairsSent).toBeGreaterThan(0);
    expect(up?.bytesReceived).toBeGreaterThan(100_000);
    expect(up!.bytesReceived / down!.bytesSent).toBeCloseTo(0.95, 1);

    await call("/v1/rooms/room/participants/cyd", "DELETE");
    await clock.advance(1_500);
    expect(cyd.events.at(-1)).toMatchObject({ type: "closed", reason: "removed" });
    expect([...ada.participant.participants.keys()]).toEqual(["bob"]);
    await call("/v1/rooms/room/participants/ada", "DELETE");
    await clock.advance(300);
    expect([...bob.participant.participants.keys()]).toEqual([]);
  });
});
