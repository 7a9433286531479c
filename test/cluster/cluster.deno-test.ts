/** `npm run cluster` does what it says and leaves nothing behind; roads between its regions are as long as they are said to be. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import process from "node:process";
import { joinRelay } from "../../core/participant/participant.ts";
import type { Participant, RelayCandidate } from "../../core/participant/participant-api.ts";
import { systemClock } from "../../relay/serving/clock.ts";
import { connectSession } from "../../relay/deno/session.ts";
import { ROOT } from "../../start/dependencies.mjs";
import { pause, TestDirectory } from "../etcd/etcd-cluster.ts";
import { EtcdProcess } from "../etcd/etcd-process.ts";
import { Crossings, originOf } from "./crossings.ts";
import { freeUdpPorts } from "./free-udp-ports.ts";
import { RelayProcess } from "./relay-process.ts";
import { isAlive } from "./running-process.ts";
import { TicketOffice } from "./ticket-office.ts";
import { until } from "./until.ts";

const READY_TIMEOUT_MS = 90_000;
const STOP_TIMEOUT_MS = 10_000;
const LOOK_MS = 50;

function joinHeadless(relay: RelayCandidate): Promise<Participant> {
  return joinRelay({
    connect: connectSession,
    clock: systemClock,
    random: Math.random,
    relay,
    client: "test",
    onEvent: () => undefined,
    onAccessUnit: () => undefined,
  });
}

/** As a page does: a guest's token, then a way in. */
async function joinAsGuest(gateway: string, name: string, region: string): Promise<Participant> {
  const post = async (path: string, body: object, headers: object): Promise<Record<string, unknown>> => {
    const answer = await fetch(gateway + path, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(body),
    });
    assert.equal(answer.status, 200);
    return await answer.json();
  };
  const { token } = await post("/v1/rooms/demo/guests", { name }, {});
  const authorization = `Bearer ${token}`;
  const { relays } = await post(`/v1/rooms/demo/join?region=${region}`, {}, { authorization });
  return joinHeadless((relays as RelayCandidate[])[0]!);
}

/** Node, which runs the command, wherever Deno runs the test. */
function startCommand(): { output: () => string; pid: number; ended: Promise<unknown> } {
  const child = spawn("node", [join(ROOT, "test", "cluster", "main.mjs"), "--port", "0"], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: unknown) => {
      output += String(chunk);
    });
  }
  return { output: () => output, pid: child.pid!, ended: once(child, "exit") };
}

const options = { sanitizeOps: false, sanitizeResources: false };

Deno.test("the command starts a cluster, people meet in it, and Ctrl-C ends all of it", options, async () => {
  const command = startCommand();
  let pids: number[] = [];
  try {
    for (let ms = 0; ms < READY_TIMEOUT_MS && !command.output().includes("Ctrl-C ends"); ms += LOOK_MS)
      await pause(LOOK_MS);
    const output = command.output();
    assert.match(output, /^ {2}us: http:\/\/localhost:\d+\/r\/demo\?region=us$/m, output);
    pids = [...output.matchAll(/process (\d+)/g)].map(([, pid]) => Number(pid));
    assert.equal(pids.length, 10);
    const gateways = [...output.matchAll(/gateway: process \d+, (http:\S+)/g)].map(([, url]) => url!);
    assert.equal(gateways.length, 2);
    for (const url of gateways) assert.equal((await fetch(`${url}/healthz`)).status, 200);
    const { directory } = new TestDirectory([/etcd: process \d+, (\S+)/.exec(output)![1]!], {
      prefix: "tributary/",
    });
    const relays = await directory.relays();
    assert.deepEqual(relays.map(({ id }) => id).sort(), ["ap-1", "eu-1", "eu-2", "us-1", "us-2"]);
    const bridges = await directory.bridges.bridges();
    assert.deepEqual(bridges.map(({ id }) => id).sort(), ["bridge-a", "bridge-b"]);
    await directory.close();
    const ann = await joinAsGuest(gateways[0]!, "Ann", "us");
    assert.match(ann.relayId, /^us-/);
    const bob = await joinAsGuest(gateways[1]!, "Bob", "ap");
    await until(() => ann.participants.has(bob.identity), "meeting");
    await Promise.all([ann.leave(), bob.leave()]);
  } finally {
    process.kill(command.pid, "SIGINT");
    const timer = setTimeout(() => process.kill(command.pid, "SIGKILL"), STOP_TIMEOUT_MS);
    await command.ended;
    clearTimeout(timer);
  }
  assert.match(command.output(), /Everything has ended\.\n$/);
  await until(() => !pids.some(isAlive), "the end of all processes");
});

Deno.test("relays of another region are reached over the road between the two", options, async () => {
  const etcd = await EtcdProcess.start();
  const office = await TicketOffice.open();
  const ports = await freeUdpPorts(2);
  const places = [
    { id: "eu-1", region: "eu", port: ports[0]! },
    { id: "us-1", region: "us", port: ports[1]! },
  ] as const;
  const crossings = await Crossings.open(places, { loss: 0, rttMs: 100 });
  const relays: RelayProcess[] = [];
  try {
    for (const { id, region, port } of places) {
      const settings = {
        RELAY_ID: id,
        RELAY_REGION: region,
        RELAY_PORT: String(port),
        RELAY_PUBLIC_URL: `${originOf(port)}/`,
        RELAY_ROUTES: crossings.routesFrom(region),
        TRIBUTARY_TICKET_JWKS: office.jwks,
        TRIBUTARY_ETCD: etcd.url,
      };
      relays.push(await RelayProcess.start(settings));
    }
    const people: Participant[] = [];
    for (const [index, name] of ["ada", "bob"].entries())
      people.push(await joinHeadless(await office.candidateFor(relays[index]!.record, name, "room")));
    const [ada, bob] = people as [Participant, Participant];
    await until(() => ada.participants.has("bob") && bob.participants.has("ada"), "meeting");
    const longWay =
      /tributary_tree_link_rtt_seconds_sum\{relay="eu-1"\} ([\d.]+)\n.*_count\{relay="eu-1"\} (\d+)/;
    let meanSeconds = 0;
    await until(async () => {
      const metrics = await (await fetch(`${relays[1]!.record.operationsUrl}metrics`)).text();
      const [, sum, count] = longWay.exec(metrics) ?? [];
      meanSeconds = Number(sum) / Number(count);
      return Number(count) > 0;
    }, "a measurement");
    assert.ok(meanSeconds >= 0.1 && meanSeconds < 0.2, `${meanSeconds} s`);
    assert.ok((people[0]!.linkStats().rttMs ?? 0) < 50);
    for (const person of people) await person.leave();
  } finally {
    for (const relay of relays) await relay.end();
    await crossings.close();
    await etcd.stop();
  }
});
