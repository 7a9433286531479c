/** The room as one participant sees it, kept up to date from the relay's messages. */
import type { RelayMessage } from "../wire/control-messages.ts";
import type { ParticipantInfo } from "../wire/room-model.ts";
import type { ParticipantEvent } from "./events.ts";

export class RoomView {
  readonly participants = new Map<string, ParticipantInfo>();
  readonly #own: string;

  constructor(own: string, participants: readonly ParticipantInfo[]) {
    this.#own = own;
    for (const info of participants) {
      if (info.identity !== own) this.participants.set(info.identity, info);
    }
  }

  /**
   * Applies a message about the room; returns the event it means, or undefined for a message that is about
   * something else or changes nothing.
   */
  apply(message: RelayMessage): ParticipantEvent | undefined {
    switch (message.type) {
      case "participant-joined":
        if (message.participant.identity === this.#own) return undefined;
        this.participants.set(message.participant.identity, message.participant);
        return message;
      case "participant-left":
        return this.participants.delete(message.identity) ? message : undefined;
      case "track-published":
        return this.#publish(message.identity, message.track) ? message : undefined;
      case "track-unpublished":
        return this.#unpublish(message.identity, message.trackId) ? message : undefined;
      case "track-muted": {
        const track = this.participants
          .get(message.identity)
          ?.tracks.find((t) => t.trackId === message.trackId);
        if (track !== undefined) track.offer.muted = message.muted;
        return message;
      }
      default:
        return undefined;
    }
  }

  /** Of a track that nobody publishes: false. */
  isPicture(trackId: number): boolean {
    for (const { tracks } of this.participants.values()) {
      if (tracks.some((track) => track.trackId === trackId && track.offer.kind === "video")) return true;
    }
    return false;
  }

  #publish(identity: string, track: ParticipantInfo["tracks"][number]): boolean {
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
