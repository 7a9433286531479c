/** Whose picture a programme shows: a shared screen before cameras, then whoever speaks, and not another one each second. */
import type { PictureChoice } from "../../core/wire/bridge-jobs.ts";
import type { ParticipantInfo } from "../../core/wire/room-model.ts";
import { type OpenPicture, openPicturesOf } from "./open-pictures.ts";

/** A picture stays at least so long, unless it ends. */
const LEAST_SHOWN_US = 2_000_000;

/** What a programme shows: what an output may ask for, or the camera of one participant and nothing else of it. */
export type ShownPicture = PictureChoice | { mode: "camera"; identity: string };

export class PictureChooser {
  readonly #choice: ShownPicture;
  #shown: OpenPicture | undefined;
  #sinceUs = Number.NEGATIVE_INFINITY;

  constructor(choice: ShownPicture) {
    this.#choice = choice;
  }

  /** The track to show now. `speakers`: loudest first. */
  choose(
    participants: Iterable<ParticipantInfo>,
    speakers: readonly string[],
    nowUs: number,
  ): OpenPicture | undefined {
    const open = openPicturesOf(participants).filter((one) => this.#isAllowed(one));
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

function loudest(open: readonly OpenPicture[], speakers: readonly string[]): OpenPicture | undefined {
  for (const identity of speakers) {
    const found = open.find((one) => one.identity === identity);
    if (found !== undefined) return found;
  }
  return undefined;
}
