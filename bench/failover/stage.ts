/**
 * What fail-over is measured on: an etcd, four relays in processes of their own, and rooms whose relays form a chain: root in one
 * region, middle and leaf in another, of which only the middle is attached to the root. One more relay stands by, with the control: a
 * listener to whom nothing is done. What it misses, this machine was too busy for.
 */

import type { RelayCandidate } from "../../core/participant/participant-api.ts";
import { RelayProcess } from "../../test/cluster/relay-process.ts";
import { TicketOffice } from "../../test/cluster/ticket-office.ts";
import { EtcdProcess } from "../../test/etcd/etcd-process.ts";
import { Listener, Publisher } from "./media.ts";

export const ROLES = ["root", "middle", "leaf"] as const;
export type Role = (typeof ROLES)[number];
type Place = Role | "spare";

const REGION: Readonly<Record<Place, string>> = { root: "eu", middle: "us", leaf: "us", spare: "ap" };
/** Where people go first from each relay: their own region, then any. */
const NEXT: Readonly<Record<Place, readonly Place[]>> = {
  root: ["middle", "leaf", "spare"],
  middle: ["leaf", "root", "spare"],
  leaf: ["middle", "root", "spare"],
  spare: ["root", "middle", "leaf"],
};
const LOOK_MS = 25;
const MAX_LOOKS = 400;
const SETTLE_MS = 1_500;

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export class Stage {
  readonly etcd: EtcdProcess;
  readonly #office: TicketOffice;
  readonly relays = new Map<Place, RelayProcess>();
  control!: Listener;
  #rooms = 0;

  private constructor(etcd: EtcdProcess, office: TicketOffice) {
    this.etcd = etcd;
    this.#office = office;
  }

  static async open(): Promise<Stage> {
    const stage = new Stage(await EtcdProcess.start(), await TicketOffice.open());
    await stage.complete();
    const way = async (identity: string) => ({
      first: await stage.candidate("spare", identity, "control"),
      others: async () => [],
    });
    await Publisher.join(await way("publisher"));
    stage.control = await Listener.join(await way("listener"));
    await stage.control.subscribe();
    return stage;
  }

  /** Starts the relays that do not run. */
  async complete(): Promise<void> {
    const missing = (Object.keys(REGION) as Place[]).filter(
      (place) => this.relays.get(place)?.isOver !== false,
    );
    await Promise.all(
      missing.map(async (place) => {
        const relay = await RelayProcess.start({
          RELAY_ID: place,
          RELAY_REGION: REGION[place],
          TRIBUTARY_TICKET_JWKS: this.#office.jwks,
          TRIBUTARY_ETCD: this.etcd.url,
        });
        this.relays.set(place, relay);
      }),
    );
  }

  candidate(place: Place, identity: string, room: string): Promise<RelayCandidate> {
    return this.#office.candidateFor(this.relays.get(place)!.record, identity, room);
  }

  /** A room of which each relay of the chain has a listener, and the root the publisher too. Media flows when it resolves. */
  async openRoom(): Promise<BenchRoom> {
    await this.complete();
    const room = new BenchRoom(this, `room-${++this.#rooms}`);
    await room.fill();
    return room;
  }

  async close(): Promise<void> {
    await Promise.all([...this.relays.values()].map((relay) => relay.end()));
    await this.etcd.stop();
  }
}

export class BenchRoom {
  readonly name: string;
  readonly listeners = new Map<Role, Listener>();
  publisher!: Publisher;
  readonly #stage: Stage;

  constructor(stage: Stage, name: string) {
    this.#stage = stage;
    this.name = name;
  }

  async fill(): Promise<void> {
    this.publisher = await Publisher.join(await this.#wayOf("root", "publisher"));
    for (const role of ROLES) {
      this.listeners.set(role, await Listener.join(await this.#wayOf(role, role)));
      await this.#until(() => this.isIntact, "everybody sees everybody");
    }
    await this.#requireChain();
    for (const listener of this.listeners.values()) await listener.subscribe();
    await this.#until(
      () => [...this.listeners.values()].every(({ pictures }) => pictures.units > 0),
      "media comes",
    );
    await pause(SETTLE_MS);
    for (const listener of [this.#stage.control, ...this.listeners.values()]) listener.reset();
  }

  async #wayOf(place: Place, identity: string) {
    const candidate = (at: Place): Promise<RelayCandidate> => this.#stage.candidate(at, identity, this.name);
    return {
      first: await candidate(place),
      others: (relayId: string): Promise<RelayCandidate[]> =>
        Promise.all(NEXT[relayId as Place].map(candidate)),
    };
  }

  /** One more, who leaves again: resolves to whether everybody is seen. */
  async visit(place: Place): Promise<boolean> {
    const visitor = await Listener.join(await this.#wayOf(place, `visitor-at-${place}`));
    try {
      await this.#until(() => visitor.person.others.size > this.listeners.size, "a visitor sees everybody");
      return true;
    } finally {
      await visitor.person.leave();
    }
  }

  /** The tree is the chain that is to be measured. */
  async #requireChain(): Promise<void> {
    const expected = { root: 1, middle: 2, leaf: 1 };
    for (const role of ROLES) {
      const { operationsUrl } = this.#stage.relays.get(role)!.record;
      const metrics = await (await fetch(`${operationsUrl}metrics`)).text();
      const links = Number(/^tributary_tree_links (\d+)$/m.exec(metrics)?.[1]);
      if (links !== expected[role]) throw new Error(`the relays are no chain: ${role} has ${links} links`);
    }
  }

  /** Everybody sees everybody else who is there, with all tracks. */
  get isIntact(): boolean {
    const people = [this.publisher.person, ...[...this.listeners.values()].map(({ person }) => person)];
    return people.every(({ others, participant: { identity } }) => {
      const isPublisherSeen = identity === "publisher" || others.get("publisher") === 2;
      return isPublisherSeen && others.size === people.length - 1;
    });
  }

  async #until(condition: () => boolean, what: string): Promise<void> {
    for (let look = 0; !condition(); look++) {
      if (look >= MAX_LOOKS) throw new Error(`it did not come to it that ${what}`);
      await pause(LOOK_MS);
    }
  }

  async close(): Promise<void> {
    for (const { person } of this.listeners.values()) await person.leave();
    await this.publisher.leave();
  }
}
