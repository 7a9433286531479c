/** A call in which people move from session to session: everybody sends camera and microphone, and receives everybody's. */
import { type Clock, every, type Timer } from "../../core/clock.ts";
import type { AccessUnit } from "../../core/delivery/access-unit.ts";
import type { ParticipantEvent } from "../../core/participant/events.ts";
import type { PublishedTrack } from "../../core/participant/participant-api.ts";
import type { NetworkOptions } from "../../core/session/network-path.ts";
import {
  CAMERA,
  type JoinWish,
  MICROPHONE,
  SimulatedCluster,
  type SimulatedMember,
  unitOf,
} from "./simulated-cluster.ts";

const PICTURE_MS = 30;
const SOUND_MS = 20;
/** Roundtrip, a relay, repair. */
const SETTLE_MS = 2_000;
/** What happens to a participant and says nothing of others. */
const OWN_AFFAIRS = new Set(["encoder-rate", "track-wanted", "keyframe-requested", "speakers", "decodable"]);

/** One of our own tracks and what was sent of it. */
export interface Sending {
  readonly track: PublishedTrack;
  readonly sent: Map<number, Uint8Array>;
  timer: Timer;
}

export interface Caller {
  readonly member: SimulatedMember;
  readonly camera: Sending;
  readonly microphone: Sending;
}

export class MovingCall {
  readonly cluster: SimulatedCluster;
  readonly callers: Caller[] = [];

  private constructor(seed: number) {
    this.cluster = new SimulatedCluster(seed);
  }

  /** Everybody is in, and hears and sees everybody else. */
  static async begin(
    seed: number,
    identities: readonly string[],
    network: Partial<NetworkOptions> = {},
  ): Promise<MovingCall> {
    const call = new MovingCall(seed);
    const { clock } = call.cluster;
    await call.cluster.addRelay("relay1");
    for (const identity of identities) {
      const member = await call.cluster.joined({ identity, network: { delayMs: 20 } });
      const camera = await clock.until(member.participant.publish(CAMERA));
      const microphone = await clock.until(member.participant.publish(MICROPHONE));
      call.callers.push({
        member,
        camera: startSending(camera, clock, PICTURE_MS),
        microphone: startSending(microphone, clock, SOUND_MS),
      });
    }
    for (const { member } of call.callers) await call.subscribeToAll(member);
    await clock.advance(1_000);
    for (const { member } of call.callers) {
      for (const path of [member.wires.up, member.wires.down]) Object.assign(path.options, network);
      member.wish.network = { delayMs: 20, ...network };
    }
    await clock.advance(1_000);
    call.forget();
    return call;
  }

  get #clock(): SimulatedCluster["clock"] {
    return this.cluster.clock;
  }

  caller(identity: string): Caller {
    return this.callers.find(({ member }) => member.identity === identity)!;
  }

  async subscribeToAll(member: SimulatedMember): Promise<void> {
    const { participant } = member;
    for (const { tracks } of participant.participants.values())
      for (const { trackId } of tracks) await this.#clock.until(participant.subscribe(trackId));
  }

  /** They go on in another session each, at the same time. */
  async move(identities: readonly string[], change: Partial<JoinWish> = {}): Promise<void> {
    const moves = identities.map((identity) => this.cluster.move(this.caller(identity).member, change));
    await this.#clock.until(Promise.all(moves));
  }

  /** Nothing gets through in the newest session that it has, for so long. */
  cut(identity: string, durationMs: number): void {
    const { up, down } = this.caller(identity).member.wires;
    const set = (isDown: boolean): void => {
      up.options.down = isDown;
      down.options.down = isDown;
    };
    set(true);
    this.#clock.after(durationMs, () => set(false));
  }

  async pass(durationMs: number): Promise<void> {
    await this.#clock.advance(durationMs);
  }

  /** What was sent, received and told until now does not count. Sending goes on, so what is on its way does not either. */
  forget(): void {
    for (const { member, camera, microphone } of this.callers) {
      member.events.length = 0;
      for (const { sent } of [camera, microphone]) sent.clear();
    }
  }

  /** Stops sending and waits until everything has come that comes. */
  async settle(): Promise<void> {
    for (const { camera, microphone } of this.callers)
      for (const { timer } of [camera, microphone]) timer.cancel();
    await this.#clock.advance(SETTLE_MS);
  }

  /** What `identity` was told of the others. */
  news(identity: string): ParticipantEvent[] {
    return this.caller(identity).member.events.filter(({ type }) => !OWN_AFFAIRS.has(type));
  }

  /** Of what was sent of a track since `forget`: what a listener has not, and what came twice or changed, ever. */
  received(identity: string, { track, sent }: Sending): { missing: number[]; wrong: number[] } {
    const seen = new Set<number>();
    const wrong: number[] = [];
    for (const { trackId, unit } of this.caller(identity).member.units) {
      if (trackId !== track.trackId || unit.rendition !== 0) continue;
      const bytes = sent.get(unit.frameId);
      if (seen.has(unit.frameId) || (bytes !== undefined && !isSame(bytes, unit))) wrong.push(unit.frameId);
      seen.add(unit.frameId);
    }
    return { missing: [...sent.keys()].filter((frameId) => !seen.has(frameId)), wrong };
  }

  /** Sentences about units that did not come everywhere, or not once; none when all is well. */
  faults(): string[] {
    const faults: string[] = [];
    for (const { member: publisher, ...tracks } of this.callers) {
      for (const { member } of this.callers.filter((other) => other.member !== publisher)) {
        for (const [name, sending] of Object.entries(tracks)) {
          const { missing, wrong } = this.received(member.identity, sending);
          if (missing.length + wrong.length === 0) continue;
          faults.push(
            `${member.identity} lacks ${missing.join()} of ${publisher.identity}'s ${name}, wrong are ${wrong.join()}`,
          );
        }
      }
    }
    return faults;
  }

  async end(): Promise<void> {
    await Promise.all(this.callers.map(({ member }) => member.participant.leave()));
    await this.#clock.advance(10_000);
  }
}

function startSending(track: PublishedTrack, clock: Clock, everyMs: number): Sending {
  const isPicture = track.offer.kind === "video";
  const sent = new Map<number, Uint8Array>();
  let frameId = 0;
  const timer = every(clock, everyMs, () => {
    const options = isPicture
      ? { size: frameId === 0 ? 9_000 : 2_500, keyframe: frameId === 0 }
      : { size: 80, audioLevel: 20 };
    const unit = unitOf(frameId++, clock.nowUs(), options);
    sent.set(unit.frameId, unit.bytes);
    track.send(unit);
  });
  return { track, sent, timer };
}

function isSame(bytes: Uint8Array, unit: AccessUnit): boolean {
  return Buffer.compare(bytes, unit.bytes) === 0;
}
