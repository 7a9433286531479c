/** What a participant may ask of its room, and the answer to each. docs/wire.md, "Control channel". */
import type { ClientMessage, FailureCode, Resume } from "../core/wire/control-messages.ts";
import { MAX_SUBSCRIPTIONS_PER_PARTICIPANT, MAX_TRACKS_PER_PARTICIPANT } from "../core/wire/limits.ts";
import { mayPublish } from "../core/wire/room-model.ts";
import type { Member } from "./member.ts";
import type { Room } from "./room.ts";

type Of<Type extends ClientMessage["type"]> = Extract<ClientMessage, { type: Type }>;

/** Applies one message of a member. `leave` and everything that ends the session is the caller's. */
export function applyRequest(room: Room, member: Member, message: ClientMessage, receivedAtUs: number): void {
  // What it did here would be nobody's once this session is over.
  if (room.members.get(member.identity) !== member && "request" in message)
    return member.fail(message.request, "superseded", "you have gone on in another session: ask there");
  switch (message.type) {
    case "publish":
      return publish(room, member, message);
    case "unpublish":
      return unpublish(room, member, message);
    case "mute":
      return mute(room, member, message);
    case "subscribe":
      return subscribe(room, member, message);
    case "unsubscribe":
      return unsubscribe(room, member, message);
    case "request-keyframe":
      return requestKeyframe(member, message);
    case "send-data":
      return sendData(room, member, message, receivedAtUs);
    case "remove":
      return remove(room, member, message);
    case "ping":
      return member.send({
        type: "pong",
        id: message.id,
        sentAtUs: message.sentAtUs,
        receivedAtUs: Math.round(receivedAtUs),
      });
    case "send-load":
      return member.close("protocol-error", "load is sent in a diagnosis only");
    case "hello":
    case "diagnose":
    case "leave":
      throw new Error(`${message.type} is not a request`);
  }
}

function publish(room: Room, member: Member, { request, offer }: Of<"publish">): void {
  if (!mayPublish(member.grants, offer.source)) {
    return member.fail(request, "forbidden", `your grants do not allow you to publish a ${offer.source}`);
  }
  if (member.tracks.size >= MAX_TRACKS_PER_PARTICIPANT) {
    const message = `you publish ${MAX_TRACKS_PER_PARTICIPANT} tracks, the maximum: unpublish one first`;
    return member.fail(request, "too-many-tracks", message);
  }
  const track = room.publish(member, offer);
  member.send({ type: "published", request, trackId: track.trackId });
  track.reportWanted();
  room.broadcast({ type: "track-published", identity: member.identity, track: track.info }, member);
}

function unpublish(room: Room, member: Member, { request, trackId }: Of<"unpublish">): void {
  const track = member.tracks.get(trackId);
  if (track === undefined) return member.fail(request, "not-found", `you publish no track ${trackId}`);
  room.unpublish(member, track);
  member.send({ type: "done", request });
}

function mute(room: Room, member: Member, { request, trackId, muted }: Of<"mute">): void {
  const track = room.tracks.get(trackId);
  if (track === undefined) return member.fail(request, "not-found", `there is no track ${trackId}`);
  const own = track.publisher === member.identity;
  if (!own && !member.grants.admin) {
    return member.fail(request, "forbidden", "only admins may mute a track of somebody else");
  }
  if (!own && !muted) {
    return member.fail(request, "forbidden", "only its publisher may unmute a track");
  }
  room.setMuted(track, muted, member.identity);
  member.send({ type: "done", request });
}

function subscribe(room: Room, member: Member, message: Of<"subscribe">): void {
  const { request } = message;
  const fault = subscribeFault(room, member, message);
  if (fault !== undefined) return member.fail(request, ...fault);
  // The answer first, so that it is on its way before the media.
  member.send({ type: "done", request });
  startSubscription(room, member, message);
}

/**
 * What a hello takes along. A track is muted where either side has it muted, so that nothing is heard by mistake. Subscriptions that are
 * not possible any more are left out: the welcome says what there is.
 */
export function applyResume(room: Room, member: Member, { tracks, subscriptions }: Resume): void {
  const { identity } = member;
  for (const { trackId, offer } of tracks) {
    const track = member.tracks.get(trackId);
    if (track === undefined || track.muted === offer.muted) continue;
    if (offer.muted) room.setMuted(track, true, identity);
    else member.send({ type: "track-muted", identity, trackId, muted: true, by: identity });
  }
  for (const wish of subscriptions)
    if (subscribeFault(room, member, wish) === undefined) startSubscription(room, member, wish);
}

type Wish = Resume["subscriptions"][number];

function startSubscription(room: Room, member: Member, wish: Wish): void {
  const { trackId, rendition, maxTemporalLayer, playoutDelayMs } = wish;
  room.subscribe(member, room.tracks.get(trackId)!, { rendition, maxTemporalLayer, playoutDelayMs });
}

function subscribeFault(room: Room, member: Member, wish: Wish): [FailureCode, string] | undefined {
  const { trackId, rendition } = wish;
  const track = room.tracks.get(trackId);
  if (!member.grants.subscribe) return ["forbidden", "your grants do not allow you to receive tracks"];
  if (track === undefined) return ["not-found", `there is no track ${trackId}`];
  if (track.publisher === member.identity) return ["invalid", "a track cannot be sent back to its publisher"];
  if (rendition >= track.renditions.length) {
    const highest = track.renditions.length - 1;
    return ["invalid", `track ${trackId} has renditions 0 to ${highest}, not ${rendition}`];
  }
  if (member.subscriptions.size >= MAX_SUBSCRIPTIONS_PER_PARTICIPANT && !member.subscriptions.has(trackId)) {
    const text = `you receive ${MAX_SUBSCRIPTIONS_PER_PARTICIPANT} tracks, the maximum: unsubscribe from one first`;
    return ["too-many-subscriptions", text];
  }
  return undefined;
}

function unsubscribe(room: Room, member: Member, { request, trackId }: Of<"unsubscribe">): void {
  const subscription = member.subscriptions.get(trackId);
  if (subscription === undefined) {
    return member.fail(request, "not-found", `you are not subscribed to track ${trackId}`);
  }
  room.unsubscribe(member, subscription);
  member.send({ type: "done", request });
}

/** Has no answer: of a track that one does not receive it is ignored. */
function requestKeyframe(member: Member, { trackId, rendition }: Of<"request-keyframe">): void {
  member.subscriptions.get(trackId)?.track.requestKeyframe(rendition);
}

function sendData(room: Room, member: Member, message: Of<"send-data">, receivedAtUs: number): void {
  const { request, topic, payload, to } = message;
  if (!member.grants.data) {
    return member.fail(request, "forbidden", "your grants do not allow you to send data messages");
  }
  // An empty message costs something too.
  if (!member.dataAllowance.take(payload.length + 64, receivedAtUs)) {
    return member.fail(request, "unavailable", "too much data in a short time: wait a second and send again");
  }
  const sentAtUs = Math.round(receivedAtUs);
  room.data.send({ from: member.identity, topic, payload, sentAtUs, ...(to === undefined ? {} : { to }) });
  member.send({ type: "done", request });
}

function remove(room: Room, member: Member, { request, identity }: Of<"remove">): void {
  if (!member.grants.admin) return member.fail(request, "forbidden", "only admins may remove participants");
  if (identity === member.identity) {
    return member.fail(request, "invalid", "you cannot remove yourself: leave instead");
  }
  if (room.remove(identity) === undefined) {
    return member.fail(request, "not-found", `nobody called ${identity} is in the room`);
  }
  member.send({ type: "done", request });
}
