/** What makes one sequence of pictures of a room's: switched (picture-switch.ts) or composed (bridge/grid). Driven by the programme. */
import type { AccessUnit } from "../../core/delivery/access-unit.ts";
import type { ParticipantInfo } from "../../core/wire/room-model.ts";
import type { PictureUnit } from "./programme.ts";

/** What it asks of the room. */
export interface PictureRequests {
  subscribe(trackId: number, rendition: number): void;
  unsubscribe(trackId: number): void;
  requestKeyframe(trackId: number, rendition: number): void;
}

export interface RoomPictures {
  /** Somebody's picture is being shown now. */
  readonly isShowing: boolean;
  /** Something is shown, or will be with its first keyframe. */
  readonly isExpecting: boolean;
  /** Why there is no picture though there should be one, for people; empty while nothing is wrong. */
  readonly problem: string;
  /** What was left out, for operators, as the end of a line; empty where that is not counted. */
  readonly summary: string;
  /** Decides whose pictures are shown. `speakers`: loudest first. */
  choose(participants: Iterable<ParticipantInfo>, speakers: readonly string[], nowUs: number): void;
  push(trackId: number, unit: AccessUnit, nowUs: number): void;
  /** Asks for a keyframe soon; where `nowUs` is said, not more often than publishers make one. */
  requestKeyframe(nowUs?: number): void;
  /** Gives out what is due in the block that begins at `timeUs`, on the room clock. */
  emit(timeUs: number, nowUs: number, give: (unit: PictureUnit) => void): void;
  /** The room was left and entered anew: all tracks are others. */
  reset(): void;
  /** Nothing is wanted any more. */
  close(): void;
}
