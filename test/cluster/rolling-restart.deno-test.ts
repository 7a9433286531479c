/**
 * deploy/rolling-restart.sh keeps its promise: every relay of a cluster is restarted under a live call, which goes on. Relays,
 * etcd and the script are the real ones; people are bench/failover's, who move when they are told to.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { Publisher } from "../../bench/failover/media.ts";
import { Person, type PersonOptions } from "../../bench/failover/person.ts";
import type { RelayCandidate } from "../../core/participant/participant-api.ts";
import { ROOT } from "../../start/dependencies.mjs";
import { TestDirectory } from "../etcd/etcd-cluster.ts";
import { EtcdProcess } from "../etcd/etcd-process.ts";
import { RestartableRelay } from "./restartable-relay.ts";
import { isAlive } from "./running-process.ts";
import { TicketOffice } from "./ticket-office.ts";
import { until } from "./until.ts";

const RELAY_IDS = ["r1", "r2", "r3"] as const;
const ROOM = "room";
/** Longer than anybody needs to move, so that a relay that has to wait for it shows in its log. */
const DRAIN_SECONDS = "10";
const ROLLING_WAIT_SECONDS = "10";
const SCRIPT_TIMEOUT_MS = 35_000;
/** So many units behind one that is missing, it is not on its way any more: half a second. */
const REPAIR_UNITS = 25;

/** Somebody who listens, and remembers which units of sound came. */
class Witness {
  person!: Person;
  readonly #name: string;
  readonly #heard = new Set<number>();
  #soundId: number | undefined;
  #twice = 0;

  private constructor(name: string) {
    this.#name = name;
  }

  static async join(name: string, options: PersonOptions): Promise<Witness> {
    const witness = new Witness(name);
    const onUnit: PersonOptions["onUnit"] = (trackId, { frameId }) => witness.#take(trackId, frameId);
    witness.person = await Person.join({ ...options, onUnit });
    return witness;
  }

  /** Subscribes to all that the speaker has, pictures too. */
  async listenTo(speaker: string): Promise<void> {
    const { participant } = this.person;
    for (const { trackId, offer } of participant.participants.get(speaker)!.tracks) {
      if (offer.kind === "audio") this.#soundId = trackId;
      await participant.subscribe(trackId);
    }
  }

  #take(trackId: number, frameId: number): void {
    if (trackId !== this.#soundId) return;
    if (this.#heard.has(frameId)) this.#twice++;
    this.#heard.add(frameId);
  }

  /** Number of the newest unit; -1 = none came. */
  get newest(): number {
    return Math.max(-1, ...this.#heard);
  }

  /** What was wrong up to this unit, from the first one that came on. */
  faultsUntil(last: number): string[] {
    const missing: number[] = [];
    for (let unit = Math.min(...this.#heard); unit <= last; unit++)
      if (!this.#heard.has(unit)) missing.push(unit);
    const faults: string[] = [];
    if (missing.length > 0) faults.push(`${this.#name} misses ${missing.join(", ")} of ${last}`);
    if (this.#twice > 0) faults.push(`${this.#name} heard ${this.#twice} units twice`);
    return faults;
  }
}

/** Ways into the room: at first where one is told to go, then at the relays that the directory calls alive, in a ring. */
async function wayOf(
  office: TicketOffice,
  { directory }: TestDirectory,
  identity: string,
  relay: RestartableRelay,
): Promise<PersonOptions> {
  return {
    first: await office.candidateFor(relay.process.record, identity, ROOM),
    others: async (relayId): Promise<RelayCandidate[]> => {
      const alive = (await directory.relays()).filter(({ id, draining }) => id !== relayId && !draining);
      const ring = (id: string): number => (id > relayId ? 0 : 1);
      alive.sort((a, b) => ring(a.id) - ring(b.id) || a.id.localeCompare(b.id));
      return Promise.all(alive.map((record) => office.candidateFor(record, identity, ROOM)));
    },
  };
}

/** Stands in for an init system, which the script's command asks for a restart. */
function serveRestarts(relays: readonly RestartableRelay[]): Deno.HttpServer<Deno.NetAddr> {
  const quiet = { hostname: "127.0.0.1", port: 0, onListen: () => undefined };
  return Deno.serve(quiet, async (request) => {
    const [, id] = /\/restart\/(\S+)$/.exec(request.url) ?? [];
    const relay = relays.find((one) => one.id === id);
    await relay?.restart();
    return new Response(null, { status: relay === undefined ? 404 : 204 });
  });
}

interface ScriptRun {
  pid: number;
  code: number | null;
  output: string;
}

async function runScript(restartUrl: string, relays: readonly RestartableRelay[]): Promise<ScriptRun> {
  const command = `curl --fail --silent --max-time 30 ${restartUrl}/restart/%s`;
  const named = relays.map(({ id, operationsUrl }) => `${id}=${operationsUrl}`);
  const child = spawn("sh", [join(ROOT, "deploy", "rolling-restart.sh"), command, ...named], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ROLLING_WAIT_SECONDS },
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: unknown) => {
      output += String(chunk);
    });
  }
  const late = setTimeout(() => child.kill("SIGKILL"), SCRIPT_TIMEOUT_MS);
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  clearTimeout(late);
  return { pid: child.pid!, code, output };
}

const options = { sanitizeOps: false, sanitizeResources: false };

Deno.test("a live call goes on over a rolling restart of every relay", options, async () => {
  const etcd = await EtcdProcess.start();
  const office = await TicketOffice.open();
  const settings = {
    RELAY_DRAIN_SECONDS: DRAIN_SECONDS,
    TRIBUTARY_TICKET_JWKS: office.jwks,
    TRIBUTARY_ETCD: etcd.url,
  };
  const relays: RestartableRelay[] = [];
  const directory = new TestDirectory([etcd.url], { prefix: "tributary/" });
  const restarts = serveRestarts(relays);
  const pids = [etcd.pid];
  const people: Person[] = [];
  const leaving: (() => Promise<void>)[] = [];
  try {
    for (const id of RELAY_IDS) relays.push(await RestartableRelay.start(id, settings));
    const speaker = await Publisher.join(await wayOf(office, directory, "speaker", relays[0]!));
    people.push(speaker.person);
    leaving.push(() => speaker.leave());
    const witnesses: Witness[] = [];
    for (const relay of relays) {
      const name = `listener-at-${relay.id}`;
      const witness = await Witness.join(name, await wayOf(office, directory, name, relay));
      people.push(witness.person);
      leaving.push(() => witness.person.leave());
      witnesses.push(witness);
    }
    const isWhole = (): boolean =>
      people.every(
        ({ others, participant: { identity } }) =>
          others.size === people.length - 1 && (identity === "speaker" || others.get("speaker") === 2),
      );
    await until(isWhole, "a meeting of everybody");
    for (const witness of witnesses) await witness.listenTo("speaker");
    await until(() => witnesses.every(({ newest }) => newest >= 0), "sound at every listener");

    const run = await runScript(`http://127.0.0.1:${restarts.addr.port}`, relays);

    pids.push(run.pid, ...relays.flatMap(({ processes }) => processes.map(({ pid }) => pid)));
    const told = relays.map(({ processes }) => processes[0]!.output).join("");
    assert.equal(run.code, 0, `${run.output}${told}`);
    for (const { id, processes, endings } of relays) {
      assert.equal(new Set(processes.map(({ pid }) => pid)).size, 2, `${id} was not restarted once`);
      assert.deepEqual(endings, [{ code: 0, signal: null }]);
      // Everybody went by himself: nobody was put out when the time was over.
      assert.match(
        processes[0]!.output,
        /drained in \S+ s: (?!0)(\d+) of \1 participants? moved, 0 rooms left/,
      );
    }
    const last = Math.max(...witnesses.map(({ newest }) => newest));
    await until(
      () => witnesses.every(({ newest }) => newest > last + REPAIR_UNITS),
      "sound after the last restart",
    );
    assert.deepEqual(
      witnesses.flatMap((witness) => witness.faultsUntil(last)),
      [],
    );
    await until(isWhole, "a room that is whole again");
  } finally {
    await Promise.all(leaving.map((leave) => leave()));
    await Promise.all(relays.map((relay) => relay.process.stop()));
    await restarts.shutdown();
    await directory.directory.close();
    await etcd.stop();
  }
  await until(() => !pids.some(isAlive), "the end of all processes");
});
