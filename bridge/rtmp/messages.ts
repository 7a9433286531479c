/**
 * RTMP's messages (specification 1.0, sections 5.4, 6 and 7): control messages, commands and data, made and read. What they say
 * comes from outside; reading throws RtmpError.
 */
import { type Amf0Object, type Amf0Value, decodeAmf0, EcmaArray, encodeAmf0 } from "./amf0.ts";
import { ByteCursor } from "./byte-cursor.ts";
import type { RtmpMessage } from "./chunk-reader.ts";
import { RtmpError } from "./rtmp-error.ts";

/** Message type ids. */
export const MESSAGE = {
  setChunkSize: 1,
  abort: 2,
  acknowledgement: 3,
  userControl: 4,
  windowSize: 5,
  setBandwidth: 6,
  audio: 8,
  video: 9,
  data3: 15,
  command3: 17,
  data: 18,
  command: 20,
  aggregate: 22,
} as const;

/** Chunk streams by custom: 2 is the specification's for control, the others are ours. */
export const CHUNK_STREAM = { control: 2, command: 3, audio: 4, data: 5, video: 6 } as const;

/** Event types of user control messages (section 7.1.7). */
export const USER_EVENT = {
  streamBegin: 0,
  streamEnd: 1,
  setBufferLength: 3,
  pingRequest: 6,
  pingResponse: 7,
} as const;

/** 1..0x7fffffff. */
export function setChunkSize(bytes: number): RtmpMessage {
  return control(MESSAGE.setChunkSize, u32Bytes(bytes));
}

export function abort(chunkStreamId: number): RtmpMessage {
  return control(MESSAGE.abort, u32Bytes(chunkStreamId));
}

/** `received`: bytes since the connection began, modulo 2^32. */
export function acknowledgement(received: number): RtmpMessage {
  return control(MESSAGE.acknowledgement, u32Bytes(received));
}

/** After how many bytes the other side is to acknowledge. */
export function windowSize(bytes: number): RtmpMessage {
  return control(MESSAGE.windowSize, u32Bytes(bytes));
}

/** Set Peer Bandwidth, limit type dynamic. */
export function setBandwidth(bytes: number): RtmpMessage {
  return control(MESSAGE.setBandwidth, Uint8Array.of(...u32Bytes(bytes), 2));
}

/** `value`: a stream id, or for pings milliseconds. */
export function userControl(event: number, value: number): RtmpMessage {
  return control(MESSAGE.userControl, Uint8Array.of(event >> 8, event & 0xff, ...u32Bytes(value)));
}

function control(type: number, payload: Uint8Array): RtmpMessage {
  return { type, streamId: 0, timestamp: 0, chunkStreamId: CHUNK_STREAM.control, payload };
}

function u32Bytes(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
}

/** The number in an acknowledgement, window size or bandwidth message. */
export function readU32(message: RtmpMessage): number {
  return new ByteCursor(message.payload, "control message").u32();
}

export interface UserControl {
  event: number;
  /** First 32 bits behind the event; 0 where it has none. */
  value: number;
}

export function readUserControl(message: RtmpMessage): UserControl {
  const cursor = new ByteCursor(message.payload, "user control message");
  const event = cursor.u16();
  return { event, value: cursor.left >= 4 ? cursor.u32() : 0 };
}

export interface Command {
  name: string;
  /** 0 = no answer is wanted. */
  transaction: number;
  /** Command object: properties of the connection for `connect`, null for most others. */
  object: Amf0Object | null;
  args: Amf0Value[];
}

/** The command in a message of type 20, or 17 where its values are AMF0 all the same. */
export function readCommand(message: RtmpMessage): Command {
  const [name, transaction, object, ...args] = decodeAmf0(bodyOf(message));
  if (typeof name !== "string" || name === "" || name.length > 64) {
    throw new RtmpError("malformed", "A command does not begin with its name.");
  }
  return {
    name,
    // Some programs leave it away where no answer is wanted.
    transaction: typeof transaction === "number" ? transaction : 0,
    object: isAmf0Object(object) ? object : null,
    args,
  };
}

export function command(
  name: string,
  transaction: number,
  object: Amf0Object | null,
  args: readonly Amf0Value[] = [],
  streamId = 0,
): RtmpMessage {
  const payload = encodeAmf0([name, transaction, object, ...args]);
  return { type: MESSAGE.command, streamId, timestamp: 0, chunkStreamId: CHUNK_STREAM.command, payload };
}

/** onStatus (section 7.2.2): `code` like NetStream.Publish.Start, `description` for people. */
export function status(
  level: "status" | "error",
  code: string,
  description: string,
  streamId: number,
): RtmpMessage {
  return command("onStatus", 0, null, [{ level, code, description }], streamId);
}

/** Values of a data message (type 18, or 15 with AMF0 in it): ["@setDataFrame", "onMetaData", {...}]. */
export function readData(message: RtmpMessage): Amf0Value[] {
  return decodeAmf0(bodyOf(message));
}

/** `@setDataFrame` with `onMetaData`, as encoders send it in front of media. */
export function metadata(entries: Amf0Object, streamId: number): RtmpMessage {
  const payload = encodeAmf0(["@setDataFrame", "onMetaData", new EcmaArray(entries)]);
  return { type: MESSAGE.data, streamId, timestamp: 0, chunkStreamId: CHUNK_STREAM.data, payload };
}

export function isAmf0Object(value: Amf0Value): value is Amf0Object {
  return (
    typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof EcmaArray)
  );
}

/** The AMF3 forms begin with one byte that says AMF0 follows. */
function bodyOf(message: RtmpMessage): Uint8Array {
  const { type, payload } = message;
  if (type !== MESSAGE.command3 && type !== MESSAGE.data3) return payload;
  return payload[0] === 0 ? payload.subarray(1) : payload;
}
