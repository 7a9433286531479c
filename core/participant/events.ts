/** What happens to a participant: the room's changes as one tagged union, in the order in which they happened. */
import type { CloseReason } from "../wire/close-codes.ts";
import type { FailureCode } from "../wire/control-messages.ts";
import type { ParticipantInfo, TrackInfo } from "../wire/room-model.ts";

export type ParticipantEvent =
  | { type: "participant-joined"; participant: ParticipantInfo }
  | { type: "participant-left"; identity: string; reason: string }
  | { type: "track-published"; identity: string; track: TrackInfo }
  | { type: "track-unpublished"; identity: string; trackId: number }
  | { type: "track-muted"; identity: string; trackId: number; muted: boolean; by: string }
  | { type: "keyframe-requested"; trackId: number; rendition: number }
  | { type: "track-wanted"; trackId: number; wanted: boolean }
  /** What the encoder of this rendition may make, bits a second; not said until a network, ours or a subscriber's, sets a limit. */
  | { type: "encoder-rate"; trackId: number; rendition: number; bitrateBps: number }
  | { type: "data"; from: string; topic: string; payload: Uint8Array; sentAtUs: number }
  | { type: "speakers"; speakers: { identity: string; level: number }[] }
  /** Picture codecs that everybody in the room can decode, as far as known. */
  | { type: "decodable"; codecs: readonly string[] }
  | { type: "go-away"; withinMs: number }
  /** No session is open, and nothing is final: `moveTo` goes on, `leave` ends it. */
  | { type: "interrupted"; reason: CloseReason; message: string }
  /** The relay that we moved to did not let an own track go on: it has been published anew, under another id. */
  | { type: "republished"; was: number; trackId: number }
  /** The same, and publishing anew was refused: the track is over. */
  | { type: "unpublished"; trackId: number; code: FailureCode; message: string }
  /** Last event. `final`: joining again on the same token cannot work. */
  | { type: "closed"; reason: CloseReason; message: string; final: boolean };
