/** The welcome of a new member: who is there, and the three times of clock synchronisation. docs/wire.md, "Control channel". */
import {
  MAX_CONTROL_MESSAGE_BYTES,
  MAX_LANES,
  MAX_MEDIA_DATAGRAM_BYTES,
  PROTOCOL_VERSION,
  REPORT_INTERVAL_MS,
} from "../core/wire/limits.ts";
import type { ParticipantInfo } from "../core/wire/room-model.ts";
import type { Member } from "./member.ts";
import type { Arrival } from "./newcomer.ts";
import type { Room } from "./room.ts";

/** What the welcome's other fields need at most. */
const RESERVED_BYTES = 2 * 1024;

/**
 * Sends the welcome to a member that has not joined yet. Participants who do not fit into one message follow as
 * `participant-joined`.
 */
export function sendWelcome(
  room: Room,
  member: Member,
  arrival: Arrival,
  relayId: string,
  nowUs: number,
  resumedTracks: number[] | undefined = undefined,
): void {
  const listed: ParticipantInfo[] = [];
  const following: Uint8Array[] = [];
  let left = MAX_CONTROL_MESSAGE_BYTES - RESERVED_BYTES;
  for (const other of room.othersOf(member)) {
    // An older session of the same person is about to be closed.
    if (other.identity === member.identity) continue;
    left -= other.joinedFrame.length;
    if (left >= 0) listed.push(other.info);
    else following.push(other.joinedFrame);
  }
  member.send({
    type: "welcome",
    version: PROTOCOL_VERSION,
    relayId,
    room: room.name,
    identity: member.identity,
    participants: listed,
    helloSentAtUs: arrival.hello.sentAtUs,
    helloReceivedAtUs: Math.round(arrival.helloReceivedAtUs),
    welcomeSentAtUs: Math.round(nowUs),
    maxMediaDatagramBytes: MAX_MEDIA_DATAGRAM_BYTES,
    reportIntervalMs: REPORT_INTERVAL_MS,
    maxLanes: MAX_LANES,
    ...(resumedTracks === undefined ? {} : { resumedTracks }),
  });
  // Whoever comes from another relay may have heard otherwise there.
  const codecs = [...room.decodable.told];
  if (resumedTracks !== undefined || room.decodable.isNews) member.send({ type: "decodable", codecs });
  for (const frame of following) member.channel.sendFramed(frame);
  // Otherwise it would know only when somebody else begins or stops.
  const speakers = [...room.speakers.told];
  if (speakers.length > 0 || resumedTracks !== undefined) member.send({ type: "speakers", speakers });
}
