/** A bridge's place in a room: joins through the gateway, stays in, and hands on what comes. One identity, one after another session. */
import type { Clock, Random } from "../../core/clock.ts";
import { type KeeperEvents, SessionKeeper } from "../../core/participant/joining/session-keeper.ts";
import type { Participant } from "../../core/participant/participant-api.ts";
import type { Connect } from "../../core/session/session.ts";
import type { GatewayAccess, MemberIdentity } from "./gateway-access.ts";

const CLIENT_NAME = "tributary-bridge/0.1";
/** Outputs, recordings and grids take H.264 and nothing else, so that a room with a bridge in it is asked to send that. */
const DECODES = ["h264"];

/** What bridges are made of; handed in by the entry that knows its runtime. */
export interface RoomAccess {
  clock: Clock;
  random: Random;
  connect: Connect;
  gateway: GatewayAccess;
}

export class RoomMember {
  readonly room: string;
  readonly #clock: Clock;
  readonly #keeper: SessionKeeper;
  readonly #ask: () => Promise<void>;

  constructor(room: string, member: MemberIdentity, access: RoomAccess, events: KeeperEvents) {
    const { clock, random, connect, gateway } = access;
    this.room = room;
    this.#clock = clock;
    const ask = () => gateway.relaysFor(room, member);
    const decodes = async () => DECODES;
    this.#keeper = new SessionKeeper({ clock, random, connect, ask, client: CLIENT_NAME, decodes }, events);
    this.#ask = async () => {
      const askedUs = clock.nowUs();
      await this.#keeper.start(await ask(), askedUs);
    };
  }

  /** Rejects with GatewayError when the gateway gives no way in; afterwards everything is told by events. */
  enter(): Promise<void> {
    return this.#ask();
  }

  /** Undefined while it is out of the room. */
  get participant(): Participant | undefined {
    return this.#keeper.participant;
  }

  /** Now on the room clock, microseconds since the Unix epoch. */
  get roomNowUs(): number {
    return this.#clock.nowUs() + (this.participant?.clockOffsetUs ?? 0);
  }

  leave(): Promise<void> {
    return this.#keeper.leave();
  }
}
