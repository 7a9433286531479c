/** Tributary's browser SDK: joinRoom, diagnose, and the types of what they return. docs/sdk.md. */
export type { PictureCodec } from "../../core/media/picture-codecs.ts";
export {
  type Check,
  type CheckId,
  type CheckState,
  type DiagnosisReport,
  reportText,
  type Verdict,
} from "../../core/participant/diagnosis/diagnosis-report.ts";
export type {
  ChatMessage,
  ConnectionStats,
  Devices,
  JoinOptions,
  LocalTrack,
  RemoteParticipant,
  RemoteTrack,
  Room,
  RoomEvents,
  RoomState,
  RoomStats,
  TrackStats,
  Transport,
} from "./api.ts";
export { RoomError } from "./api.ts";
export { type DiagnoseOptions, diagnose } from "./diagnosis/diagnose.ts";
export { joinRoom } from "./join-room.ts";
export { prepareRoom } from "./worker-port.ts";
