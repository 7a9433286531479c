/** What another relay of the room's tree says over a link, once it is attached, and what comes of it. docs/wire.md, "Tree of relays". */
import type { TreeMessage } from "../../core/wire/tree-messages.ts";
import type { Room } from "../room.ts";
import type { RelayLink } from "./relay-link.ts";

type Of<Type extends TreeMessage["type"]> = Extract<TreeMessage, { type: Type }>;

/** Larger than any that exist: what is left out is the business of the relay that has the subscribers. */
const ALL_LAYERS = 7;

/** Applies one message about the room. Returns false for one about the tree itself. */
export function applyLinkMessage(room: Room, link: RelayLink, message: TreeMessage): boolean {
  switch (message.type) {
    case "record":
      room.remote.offer(link, { record: message.record, fading: message.fading }, message.by);
      return true;
    case "gone":
      room.remote.withdraw(link, message);
      return true;
    case "subscribe":
      subscribe(room, link, message);
      return true;
    case "unsubscribe": {
      const subscription = link.subscriptions.get(link.keyOf(message.trackId, message.rendition));
      if (subscription !== undefined) room.unsubscribe(link, subscription);
      return true;
    }
    case "request-keyframe":
      room.tracks.get(message.trackId)?.requestKeyframe(message.rendition);
      return true;
    case "rendition-limit":
      limit(link, message);
      return true;
    case "data":
      room.data.receive(message, link);
      return true;
    case "speakers":
      link.levels = new Map(message.speakers.map(({ identity, level }) => [identity, level]));
      return true;
    case "mute": {
      const track = room.tracks.get(message.trackId);
      if (track !== undefined) room.setMuted(track, true, message.by);
      return true;
    }
    case "ban":
      room.ban(message.token, message.untilSeconds, link);
      return true;
    case "remove":
      room.remove(message.identity);
      return true;
    default:
      return false;
  }
}

function subscribe(room: Room, link: RelayLink, message: Of<"subscribe">): void {
  const { trackId, rendition, playoutDelayMs, loss, burstMs } = message;
  const track = room.tracks.get(trackId);
  // Gone meanwhile, or it comes from there itself: the far side will hear.
  if (track === undefined || track.source === link || rendition >= track.renditions.length) return;
  const subscription = room.subscribe(link, track, {
    rendition,
    maxTemporalLayer: ALL_LAYERS,
    playoutDelayMs,
  });
  subscription.beyond = { loss, burstMs };
  track.updateAudience();
}

function limit(link: RelayLink, { trackId, rendition, limitBps }: Of<"rendition-limit">): void {
  const subscription = link.subscriptions.get(link.keyOf(trackId, rendition));
  if (subscription === undefined) return;
  subscription.beyondBps = limitBps ?? undefined;
  subscription.track.updateLimit(rendition);
}
