/** What must hold of a relay at every moment, and of everybody's view of a room once it is quiet. */
import { MAX_CONTROL_QUEUE_BYTES, MAX_GOP_CACHE_BYTES } from "../../core/wire/limits.ts";
import type { ParticipantInfo } from "../../core/wire/room-model.ts";
import type { Member } from "../../relay/member.ts";
import type { Relay } from "../../relay/relay.ts";
import type { Room } from "../../relay/room.ts";
import type { SimulatedMember } from "./simulated-cluster.ts";

/** Sentences about what is wrong; none when all is well. */
export function relayFaults(relay: Relay): string[] {
  return [...relay.rooms.values()].flatMap((room) => roomFaults(room));
}

function roomFaults(room: Room): string[] {
  const faults: string[] = [];
  const say = (fault: string): void => void faults.push(`room ${room.name}: ${fault}`);
  if (room.sessions === 0) say("is empty and still there");
  let tracks = 0;
  for (const [identity, member] of room.members) {
    if (member.identity !== identity) say(`${identity} is listed under another name`);
    if (member.channel.queuedBytes > MAX_CONTROL_QUEUE_BYTES) say(`${identity} has too long a control queue`);
    for (const [trackId, track] of member.tracks) {
      tracks++;
      if (room.tracks.get(trackId) !== track) say(`track ${trackId} of ${identity} is unknown to the room`);
      if (track.publisher !== identity) say(`track ${trackId} has another publisher than its owner`);
    }
    for (const [trackId, subscription] of member.subscriptions) {
      const track = room.tracks.get(trackId);
      if (track !== subscription.track) say(`${identity} receives track ${trackId}, which is gone`);
      const subscriptions = track?.renditions[subscription.rendition]?.subscriptions ?? [];
      const times = subscriptions.filter((other) => other === subscription).length;
      if (times !== 1) say(`${identity} is listed ${times} times among the receivers of track ${trackId}`);
      if (subscription.link !== member.link) say(`${identity}'s track ${trackId} goes to another session`);
    }
  }
  if (tracks !== room.tracks.size) say(`has ${room.tracks.size} tracks, its members ${tracks}`);
  for (const track of room.tracks.values()) {
    for (const { subscriptions, cache } of track.renditions) {
      for (const subscription of subscriptions) {
        const { subscriber } = subscription;
        if ((subscriber as Member).subscriptions.get(track.trackId) !== subscription) {
          say(`track ${track.trackId} goes to ${subscriber.identity}, who does not know`);
        }
      }
      if ((cache?.byteLength ?? 0) > MAX_GOP_CACHE_BYTES) say(`track ${track.trackId} caches too much`);
    }
  }
  return faults;
}

/** Differences between what a participant believes and what its relay knows. To be asked when nothing is on its way. */
export function viewFaults(relay: Relay, room: string, member: SimulatedMember): string[] {
  const known = relay.rooms.get(room)?.participants.filter((info) => info.identity !== member.identity) ?? [];
  const believed = [...member.participant.participants.values()];
  const a = normalised(known);
  const b = normalised(believed);
  return a === b ? [] : [`${member.identity} believes\n  ${b}\nand the relay knows\n  ${a}`];
}

function normalised(participants: readonly ParticipantInfo[]): string {
  const sorted = [...participants].sort((a, b) => (a.identity < b.identity ? -1 : 1));
  return JSON.stringify(
    sorted.map(({ identity, tracks }) => [
      identity,
      ...[...tracks]
        .sort((a, b) => a.trackId - b.trackId)
        .map(({ trackId, offer }) => `${trackId} ${offer.source} ${offer.muted}`),
    ]),
  );
}
