/**
 * A random life of a cluster, from a seed: participants come and go, relays are killed and come back, the network between relays falls into
 * parts, the directory is out. Rules of the tree are looked at as it goes; in the end all is well again and everybody must
 * be heard, every relay of a room know the same, and nothing be left.
 */
import { MAX_CHILD_LINKS } from "../../core/wire/limits.ts";
import { SimulatedCluster } from "./simulated-cluster.ts";
import { copyFaults, placeFault } from "./tree-faults.ts";
import { TreeMember } from "./tree-member.ts";

export interface TreeChaosOptions {
  relays: number;
  regions: number;
  rooms: number;
  participants: number;
  /** Of them so many in a room publish. */
  speakers: number;
  /** Between two units of a speaker. */
  unitEveryMs: number;
  durationMs: number;
  /** Mean time between two random acts. */
  actEveryMs: number;
  /** Shares of all acts; the rest is nothing. */
  acts: { kill: number; part: number; directory: number; churn: number };
}

export const SMALL_TREE_CHAOS: TreeChaosOptions = {
  relays: 8,
  regions: 3,
  rooms: 2,
  participants: 16,
  speakers: 2,
  unitEveryMs: 100,
  durationMs: 12_000,
  actEveryMs: 300,
  acts: { kill: 0.25, part: 0.15, directory: 0.1, churn: 0.25 },
};

/** Within this after the last fault everybody must be heard again. */
const HEARD_WITHIN_MS = 2_000;
/** Parts that met again have merged, and links of dead relays are known to be dead. */
const QUIET_MS = 14_000;
const LISTEN_MS = 1_000;

export interface TreeChaosResult {
  units: number;
  kills: number;
  moves: number;
}

export class TreeChaos {
  readonly cluster: SimulatedCluster;
  readonly #options: TreeChaosOptions;
  readonly #members: TreeMember[];
  readonly #down = new Set<string>();
  /** Who was said to have left, and had not. */
  readonly #falseGoodbyes: string[] = [];
  #kills = 0;
  #isParted = false;
  #isDirectoryOut = false;
  #joined = 0;

  constructor(seed: number, options: TreeChaosOptions = SMALL_TREE_CHAOS) {
    this.#options = options;
    this.cluster = new SimulatedCluster(seed);
    this.cluster.networkBetween = (from, to) => ({
      delayMs: this.#regionOf(from) === this.#regionOf(to) ? 1 : 30,
    });
    this.#members = [];
  }

  #regionOf(relayId: string): number {
    return Number(relayId.slice("relay".length)) % this.#options.regions;
  }

  async #addRelay(id: string): Promise<void> {
    await this.cluster.addRelay(id, `region${this.#regionOf(id)}`);
  }

  /** Rejects with an Error that names the seed. */
  async run(): Promise<TreeChaosResult> {
    const { clock } = this.cluster;
    const { relays, participants, durationMs, actEveryMs } = this.#options;
    for (let i = 0; i < relays; i++) await this.#addRelay(`relay${i}`);
    for (let i = 0; i < participants; i++) this.#addMember();
    await clock.advance(3_000);
    this.#require(this.#ruleFaults());
    const endUs = clock.nowUs() + durationMs * 1000;
    while (clock.nowUs() < endUs) {
      this.#act();
      await clock.advance(this.cluster.random() * 2 * actEveryMs);
      this.#require(this.#ruleFaults());
    }
    await this.#mend();
    await this.#checkHeard();
    await clock.advance(QUIET_MS);
    this.#require([...this.#ruleFaults(), ...this.#agreementFaults()]);
    await this.#end();
    const units = this.#members.reduce(
      (sum, { heard }) => sum + [...heard.values()].reduce((n, { units }) => n + units, 0),
      0,
    );
    return { units, kills: this.#kills, moves: this.#joined };
  }

  #addMember(): void {
    const { rooms, speakers } = this.#options;
    const number = this.#joined++;
    this.#add(number, `room${number % rooms}`, Math.floor(number / rooms) < speakers);
  }

  #add(number: number, room: string, speaks: boolean): void {
    const { cluster } = this;
    const { unitEveryMs } = this.#options;
    const identity = `p${number}`;
    this.#members.push(
      new TreeMember({ cluster, identity, room, speaks, unitEveryMs, ...this.#memberEvents }),
    );
  }

  readonly #memberEvents = {
    chooseRelay: (except: string | undefined) => this.#chooseRelay(except),
    onLeft: (identity: string, reason: string) => {
      // Whoever could not be reached may be taken for lost; nobody may be said to have gone who has not.
      if (reason === "normal" && this.#members.some((member) => member.identity === identity))
        this.#falseGoodbyes.push(identity);
    },
  };

  #chooseRelay(except: string | undefined): string | undefined {
    // Some gateways have not heard yet that a relay is dead.
    const all = Array.from({ length: this.#options.relays }, (_, i) => `relay${i}`);
    const known = all.filter((id) => id !== except && (!this.#down.has(id) || this.cluster.random() < 0.1));
    return known[Math.floor(this.cluster.random() * known.length)];
  }

  #act(): void {
    const { random } = this.cluster;
    const { kill, part, directory, churn } = this.#options.acts;
    const dice = random();
    if (dice < kill) this.#kill();
    else if (dice < kill + part) this.#part();
    else if (dice < kill + part + directory) this.#directoryOut();
    else if (dice < kill + part + directory + churn) this.#replaceSomebody();
  }

  #replaceSomebody(): void {
    const { random, clock } = this.cluster;
    const at = Math.floor(random() * this.#members.length);
    const member = this.#members[at]!;
    // Those who speak stay, so that there is something to hear.
    if (member.speaks) return;
    this.#members.splice(at, 1);
    member.leave().catch(() => undefined);
    clock.after(random() * 1_000, () => this.#add(this.#joined++, member.room, false));
  }

  #kill(): void {
    const { random, clock, relays } = this.cluster;
    const live = [...relays.keys()];
    if (live.length < 3) return;
    const id = live[Math.floor(random() * live.length)]!;
    this.#kills++;
    this.#down.add(id);
    this.cluster.kill(id);
    clock.after(500 + random() * 3_000, () => void this.#revive(id));
  }

  async #revive(id: string): Promise<void> {
    if (this.cluster.relays.has(id)) return;
    try {
      await this.#addRelay(id);
      this.#down.delete(id);
      if (this.#isDirectoryOut) this.cluster.directories.get(id)!.cut();
    } catch {
      this.cluster.kill(id);
      this.cluster.clock.after(500, () => void this.#revive(id));
    }
  }

  #part(): void {
    if (this.#isParted) return;
    this.#isParted = true;
    const { random, clock } = this.cluster;
    const side = new Map(
      Array.from({ length: this.#options.relays }, (_, i) => [`relay${i}`, random() < 0.5]),
    );
    this.cluster.partition((from, to) => from !== "" && side.get(from) !== side.get(to));
    clock.after(300 + random() * 4_000, () => this.#heal());
  }

  #heal(): void {
    this.#isParted = false;
    this.cluster.partition(() => false);
  }

  #directoryOut(): void {
    if (this.#isDirectoryOut) return;
    this.#isDirectoryOut = true;
    const { random, clock, directories } = this.cluster;
    for (const directory of directories.values()) directory.cut();
    clock.after(300 + random() * 4_000, () => this.#directoryBack());
  }

  #directoryBack(): void {
    this.#isDirectoryOut = false;
    for (const directory of this.cluster.directories.values()) directory.mend();
  }

  async #mend(): Promise<void> {
    if (this.#isParted) this.#heal();
    if (this.#isDirectoryOut) this.#directoryBack();
    for (const id of [...this.#down]) await this.#revive(id);
    await this.cluster.clock.advance(HEARD_WITHIN_MS);
  }

  async #checkHeard(): Promise<void> {
    const { clock } = this.cluster;
    const sinceUs = clock.nowUs();
    await clock.advance(LISTEN_MS);
    const speakers = this.#members.filter(({ speaks }) => speaks);
    const faults: string[] = [];
    for (const listener of this.#members) {
      if (!listener.isIn) {
        faults.push(`${listener.identity} is in no room (relay ${listener.relayId})`);
        continue;
      }
      for (const speaker of speakers) {
        if (speaker === listener || speaker.room !== listener.room) continue;
        const heard = listener.heard.get(speaker.identity);
        if (heard === undefined || heard.lastUs < sinceUs)
          faults.push(
            `${listener.identity} on ${listener.relayId} does not hear ${speaker.identity} on ${speaker.relayId}`,
          );
      }
    }
    this.#require(faults);
  }

  /** What must hold at every moment. */
  #ruleFaults(): string[] {
    const falsely = this.#falseGoodbyes.splice(0).map((identity) => `${identity} was said to have left`);
    const heardTwice = this.#members
      .filter(({ heardTwice }) => heardTwice > 0)
      .map(({ identity, heardTwice }) => `${identity} heard ${heardTwice} units twice`);
    const faults = [...falsely, ...heardTwice];
    for (const relay of this.cluster.relays.values()) {
      for (const tree of relay.rooms.trees()) {
        const where = `${tree.room.name} on ${relay.id}`;
        if (tree.children.size > MAX_CHILD_LINKS) faults.push(`${where} has ${tree.children.size} children`);
        const fault = placeFault(this.cluster.relays, relay.id, tree.room.name);
        if (fault !== undefined) faults.push(`${where} ${fault}`);
        faults.push(...copyFaults(tree.room.links, where));
      }
    }
    return faults;
  }

  /** What must hold once all is quiet. */
  #agreementFaults(): string[] {
    const faults: string[] = [];
    for (let i = 0; i < this.#options.rooms; i++) {
      const name = `room${i}`;
      const trees = [...this.cluster.relays.values()].flatMap(({ id, rooms }) => {
        const tree = rooms.tree(name);
        return tree === undefined ? [] : [{ id, tree }];
      });
      const roots = trees.filter(({ tree }) => tree.isRoot && !tree.isProvisional).map(({ id }) => id);
      if (roots.length !== 1) faults.push(`${name} has ${roots.length} roots: ${roots.join()}`);
      for (const { id, tree } of trees) {
        if (!tree.isRooted) faults.push(`${name} on ${id} is not rooted`);
        if (tree.position.path[0]?.id !== roots[0]) faults.push(`${name} on ${id} has another root`);
      }
      const expected = JSON.stringify(
        this.#members
          .filter(({ room }) => room === name)
          .map(({ identity }) => identity)
          .sort(),
      );
      for (const { id, tree } of trees) {
        const known = JSON.stringify(tree.room.participants.map(({ identity }) => identity).sort());
        if (known !== expected) faults.push(`${name} on ${id} knows ${known}, not ${expected}`);
        const tracks = tree.room.participants.flatMap((p) => p.tracks).length;
        if (tracks !== tree.room.tracks.size)
          faults.push(`${name} on ${id} has ${tree.room.tracks.size} tracks`);
        for (const link of tree.room.links)
          for (const { track } of link.subscriptions.values())
            if (tree.room.tracks.get(track.trackId)?.source === link)
              faults.push(`${name} on ${id} sends a track back to ${link.relay.id}`);
        if (tracks !== this.#options.speakers) faults.push(`${name} on ${id} knows ${tracks} tracks`);
      }
    }
    return faults;
  }

  async #end(): Promise<void> {
    const { clock, relays, directory } = this.cluster;
    for (const member of this.#members) member.leave().catch(() => undefined);
    await clock.advance(16_000);
    for (const { id, rooms } of relays.values())
      if (rooms.size > 0) this.#require([`${id} still has ${rooms.size} rooms`]);
    const claims = await directory.rooms();
    if (claims.length > 0) this.#require([`the directory still has ${claims.length} rooms`]);
    for (const relay of relays.values()) await relay.stop();
    this.cluster.mendWires();
    await clock.advance(20_000);
    if (clock.waiting > 0) this.#require([`${clock.waiting} timers still run`]);
  }

  #require(faults: readonly string[]): void {
    if (faults.length === 0) return;
    const { seed, log } = this.cluster;
    const hint = `seed ${seed}: run it alone with SIM_SEED=${seed} npx vitest run test/sim/tree`;
    throw new Error(
      `${faults.slice(0, 8).join("\n")}\n${hint}\nlast of the log:\n${log.slice(-12).join("\n")}`,
    );
  }
}
