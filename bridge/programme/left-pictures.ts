/** Pictures of a room that a bridge leaves out, and why: each counted once, named while it is there. */
import { spokenCodec } from "../../core/media/picture-codecs.ts";
import type { ParticipantInfo, TrackOffer } from "../../core/wire/room-model.ts";
import { canBeShown } from "./open-pictures.ts";

/** Publishers change to what a bridge takes once they hear of it; a picture counts as left out when they have not by then. */
const GRACE_US = 3_000_000;

type Reason = "codec" | "encrypted";

interface Left {
  sinceUs: number;
  isCounted: boolean;
}

export class LeftPictures {
  readonly counts: Record<Reason, number> = { codec: 0, encrypted: 0 };
  /** A sentence; empty while every picture is taken. */
  problem = "";
  readonly #log: (line: string) => void;
  readonly #left = new Map<number, Left>();

  constructor(log: (line: string) => void) {
    this.#log = log;
  }

  /** Looks at who publishes what now. */
  look(people: Iterable<ParticipantInfo>, nowUs: number): void {
    const there = new Set<number>();
    this.problem = "";
    for (const { name, tracks } of people) {
      for (const { trackId, offer } of tracks) {
        if (offer.kind !== "video" || canBeShown(offer)) continue;
        there.add(trackId);
        this.#note(trackId, name, offer, nowUs);
      }
    }
    for (const trackId of this.#left.keys()) if (!there.has(trackId)) this.#left.delete(trackId);
  }

  #note(trackId: number, name: string, offer: TrackOffer, nowUs: number): void {
    const left = this.#left.get(trackId) ?? { sinceUs: nowUs, isCounted: false };
    this.#left.set(trackId, left);
    if (nowUs - left.sinceUs < GRACE_US) return;
    const sentence = sentenceOf(name, offer);
    if (this.problem === "") this.problem = sentence;
    if (left.isCounted) return;
    left.isCounted = true;
    this.counts[reasonOf(offer)] += 1;
    this.#log(sentence);
  }
}

function reasonOf({ encrypted }: TrackOffer): Reason {
  return encrypted ? "encrypted" : "codec";
}

function sentenceOf(name: string, offer: TrackOffer): string {
  const picture = `the ${offer.source} of ${name} is left out`;
  return offer.encrypted
    ? `${picture}: it is encrypted, and a bridge has no key`
    : `${picture}: it is sent in ${spokenCodec(offer.codec)}, and outputs take H.264 only`;
}
