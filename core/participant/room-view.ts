/** The room as one participant sees it, kept up to date from the messages of the relay that it is with. */
import type { RelayMessage } from "../wire/control-messages.ts";
import type { ParticipantInfo, TrackInfo } from "../wire/room-model.ts";
import type { ParticipantEvent } from "./events.ts";

type Events = readonly ParticipantEvent[];

const NOTHING: Events = [];

export class RoomView {
  readonly participants = new Map<string, ParticipantInfo>();
  #own = "";
  /** Who was there before the last `replace` and has not been heard of since: perhaps on the way to the same relay. */
  readonly #missed = new Set<string>();

  /** Takes the room over as a relay knows it; returns what is different. Those who are missing stay until `giveUpMissed`. */
  replace(own: string, participants: readonly ParticipantInfo[]): ParticipantEvent[] {
    this.#own = own;
    for (const identity of this.participants.keys()) this.#missed.add(identity);
    return participants.flatMap((info) => this.#join(info));
  }

  /** Those who have not come by now have left. */
  giveUpMissed(): ParticipantEvent[] {
    return [...this.#missed].flatMap((identity) => this.#leave(identity, "lost"));
  }

  /** Applies a message about the room; returns what it means: nothing when it is about something else or changes nothing. */
  apply(message: RelayMessage): Events {
    switch (message.type) {
      case "participant-joined":
        return this.#join(message.participant);
      case "participant-left":
        return this.#leave(message.identity, message.reason);
      case "track-published":
        return this.#publish(message.identity, message.track) ? [message] : NOTHING;
      case "track-unpublished":
        return this.#unpublish(message.identity, message.trackId) ? [message] : NOTHING;
      case "track-muted": {
        const track = this.participants
          .get(message.identity)
          ?.tracks.find((t) => t.trackId === message.trackId);
        if (track !== undefined) track.offer.muted = message.muted;
        return [message];
      }
      default:
        return NOTHING;
    }
  }

  /** Whether somebody publishes it who is there for sure. */
  has(trackId: number): boolean {
    const publisher = this.#publisherOf(trackId);
    return publisher !== undefined && !this.#missed.has(publisher.identity);
  }

  /** Whether somebody publishes it, perhaps one of those who are missing. */
  mayHave(trackId: number): boolean {
    return this.#publisherOf(trackId) !== undefined;
  }

  /** Of a track that nobody publishes: false. */
  isPicture(trackId: number): boolean {
    const track = this.#publisherOf(trackId)?.tracks.find((other) => other.trackId === trackId);
    return track?.offer.kind === "video";
  }

  #publisherOf(trackId: number): ParticipantInfo | undefined {
    for (const info of this.participants.values())
      if (info.tracks.some((track) => track.trackId === trackId)) return info;
    return undefined;
  }

  #join(info: ParticipantInfo): ParticipantEvent[] {
    const { identity } = info;
    if (identity === this.#own) return [];
    this.#missed.delete(identity);
    const before = this.participants.get(identity);
    this.participants.set(identity, info);
    return before === undefined ? [{ type: "participant-joined", participant: info }] : changes(before, info);
  }

  #leave(identity: string, reason: string): ParticipantEvent[] {
    this.#missed.delete(identity);
    return this.participants.delete(identity) ? [{ type: "participant-left", identity, reason }] : [];
  }

  #publish(identity: string, track: TrackInfo): boolean {
    const participant = this.participants.get(identity);
    if (participant === undefined || participant.tracks.some((t) => t.trackId === track.trackId))
      return false;
    participant.tracks.push(track);
    return true;
  }

  #unpublish(identity: string, trackId: number): boolean {
    const participant = this.participants.get(identity);
    const index = participant?.tracks.findIndex((t) => t.trackId === trackId) ?? -1;
    if (index < 0) return false;
    participant!.tracks.splice(index, 1);
    return true;
  }
}

/** What has become of the tracks of somebody who has been there all the time. */
function changes(before: ParticipantInfo, now: ParticipantInfo): ParticipantEvent[] {
  const { identity } = now;
  const events: ParticipantEvent[] = [];
  for (const { trackId } of before.tracks) {
    if (!now.tracks.some((track) => track.trackId === trackId))
      events.push({ type: "track-unpublished", identity, trackId });
  }
  for (const track of now.tracks) {
    const { trackId, offer } = track;
    const known = before.tracks.find((other) => other.trackId === trackId);
    if (known === undefined) events.push({ type: "track-published", identity, track });
    else if (known.offer.muted !== offer.muted)
      events.push({ type: "track-muted", identity, trackId, muted: offer.muted, by: identity });
  }
  return events;
}
