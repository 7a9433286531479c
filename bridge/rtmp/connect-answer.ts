/** The answer to `connect` (specification 1.0, section 7.2.1.1; Enhanced RTMP v2, "Enhancing NetConnection connect Command"). */
import type { Amf0Object } from "./amf0.ts";
import type { RtmpMessage } from "./chunk-reader.ts";
import { type Command, command } from "./messages.ts";

const CAN_DECODE = 1;
const CAN_FORWARD = 4;
const CAPS_RECONNECT = 1;
const CAPS_MULTITRACK = 2;
const CAPS_MOD_EX = 4;
const CAPS_NANOSECONDS = 8;
const ENHANCED_KEYS = ["fourCcList", "videoFourCcInfoMap", "audioFourCcInfoMap", "capsEx"];

/** _result with what we are. Some programs want a version of Flash Media Server that can take live streams. */
export function connectResult(connect: Command): RtmpMessage {
  const properties: Amf0Object = { fmsVer: "FMS/3,0,1,123", capabilities: 31 };
  const info: Amf0Object = {
    level: "status",
    code: "NetConnection.Connect.Success",
    description: "Connected.",
    objectEncoding: 0,
  };
  if (ENHANCED_KEYS.some((key) => connect.object?.[key] !== undefined)) Object.assign(properties, enhanced());
  return command("_result", connect.transaction, properties, [info]);
}

/** What is understood here. Which codecs a room takes is known only when its key is. */
function enhanced(): Amf0Object {
  const taken = CAN_DECODE | CAN_FORWARD;
  return {
    videoFourCcInfoMap: { avc1: taken },
    audioFourCcInfoMap: { mp4a: taken, Opus: taken, ".mp3": taken },
    capsEx: CAPS_RECONNECT | CAPS_MULTITRACK | CAPS_MOD_EX | CAPS_NANOSECONDS,
  };
}

/** _error that refuses `connect`. */
export function connectRejection(connect: Command, description: string): RtmpMessage {
  const info = { level: "error", code: "NetConnection.Connect.Rejected", description };
  return command("_error", connect.transaction, null, [info]);
}

/** Whether the other side understands being asked to connect anew. */
export function understandsReconnect(connect: Command): boolean {
  const caps = connect.object?.capsEx;
  return typeof caps === "number" && (caps & CAPS_RECONNECT) !== 0;
}
