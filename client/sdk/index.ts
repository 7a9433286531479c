/** Tributary's browser SDK: joinRoom and the types of what it returns. docs/sdk.md. */
export type { PictureCodec } from "../../core/media/picture-codecs.ts";
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
export { joinRoom } from "./join-room.ts";
export { prepareRoom } from "./worker-port.ts";
