/** Which pictures of a room can be shown. */
import type { ParticipantInfo, TrackInfo, TrackOffer } from "../../core/wire/room-model.ts";

/** A picture track that can be shown. */
export interface OpenPicture {
  trackId: number;
  identity: string;
  screen: boolean;
  /** Of its renditions, largest first. */
  widths: readonly number[];
}

/** In the order of `participants`. */
export function openPicturesOf(participants: Iterable<ParticipantInfo>): OpenPicture[] {
  return [...participants].flatMap(({ identity, tracks }) =>
    tracks.flatMap((track) => {
      const widths = shownWidths(track);
      const { trackId, offer } = track;
      return widths === undefined ? [] : [{ trackId, identity, screen: offer.source === "screen", widths }];
    }),
  );
}

function shownWidths({ offer }: TrackInfo): number[] | undefined {
  return canBeShown(offer) && !offer.muted ? offer.renditions.map(({ width }) => width) : undefined;
}

/** H.264 goes through untouched; nothing else does, and nobody but participants has the key to what is encrypted. */
export function canBeShown(offer: TrackOffer): offer is Extract<TrackOffer, { kind: "video" }> {
  return offer.kind === "video" && !offer.encrypted && offer.codec.startsWith("avc1");
}
