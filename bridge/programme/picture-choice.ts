/** Whose picture a programme shows: a shared screen before cameras, then whoever speaks, and not another one each second. */
import type { PictureChoice } from "../../core/wire/bridge-jobs.ts";
import type { ParticipantInfo, TrackInfo, TrackOffer } from "../../core/wire/room-model.ts";

/** A picture stays at least so long, unless it ends. */
const LEAST_SHOWN_US = 2_000_000;

/** What a programme shows: what an output may ask for, or the camera of one participant and nothing else of it. */
export type ShownPicture = PictureChoice | { mode: "camera"; identity: string };

/** A picture track that could be shown. */
export interface PictureTrack {
  trackId: number;
  identity: string;
}

export class PictureChooser {
  readonly #choice: ShownPicture;
  #shown: PictureTrack | undefined;
  #sinceUs = Number.NEGATIVE_INFINITY;

  constructor(choice: ShownPicture) {
    this.#choice = choice;
  }

  /** The track to show now. `speakers`: loudest first. */
  choose(
    participants: Iterable<ParticipantInfo>,
    speakers: readonly string[],
    nowUs: number,
  ): PictureTrack | undefined {
    const open = picturesOf(participants).filter((one) => this.#isAllowed(one));
    const stays = open.find(({ trackId }) => trackId === this.#shown?.trackId);
    const wish = open.find(({ screen }) => screen) ?? loudest(open, speakers) ?? stays ?? open[0];
    const isBetter = wish !== undefined && wish.trackId !== stays?.trackId;
    if (stays !== undefined && (!isBetter || nowUs - this.#sinceUs < LEAST_SHOWN_US)) return stays;
    if (wish?.trackId !== this.#shown?.trackId) this.#sinceUs = nowUs;
    this.#shown = wish;
    return wish;
  }

  #isAllowed({ identity, screen }: OpenPicture): boolean {
    switch (this.#choice.mode) {
      case "pinned":
        return identity === this.#choice.identity;
      case "camera":
        return identity === this.#choice.identity && !screen;
      default:
        return this.#choice.mode !== "none";
    }
  }
}

type OpenPicture = PictureTrack & { screen: boolean };

function picturesOf(participants: Iterable<ParticipantInfo>): OpenPicture[] {
  return [...participants].flatMap(({ identity, tracks }) =>
    tracks
      .filter(isShown)
      .map(({ trackId, offer }) => ({ trackId, identity, screen: offer.source === "screen" })),
  );
}

function isShown({ offer }: TrackInfo): boolean {
  return canBeShown(offer) && !offer.muted;
}

/** H.264 goes through untouched; nothing else does, and nobody but participants has the key to what is encrypted. */
export function canBeShown(offer: TrackOffer): boolean {
  return offer.kind === "video" && !offer.encrypted && offer.codec.startsWith("avc1");
}

function loudest(open: readonly OpenPicture[], speakers: readonly string[]): OpenPicture | undefined {
  for (const identity of speakers) {
    const found = open.find((one) => one.identity === identity);
    if (found !== undefined) return found;
  }
  return undefined;
}
