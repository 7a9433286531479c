/** The SETTINGS frame (RFC 9114, 7.2.4): its bytes, and what a WebTransport endpoint must find in it. */
import {
  H3_FRAME_ERROR,
  H3_SETTINGS_ERROR,
  Http3Error,
  SETTING_ENABLE_CONNECT_PROTOCOL,
  SETTING_ENABLE_WEBTRANSPORT,
  SETTING_H3_DATAGRAM,
  SETTING_H3_DATAGRAM_DRAFT04,
  SETTING_MAX_FIELD_SECTION_SIZE,
  SETTING_QPACK_BLOCKED_STREAMS,
  SETTING_QPACK_MAX_TABLE_CAPACITY,
  SETTING_WEBTRANSPORT_MAX_SESSIONS,
} from "./http3-codes.ts";
import { encodeVarints, readVarint, VARINT_INCOMPLETE, varintLengthFromFirstByte } from "./varint.ts";

export type Settings = ReadonlyMap<number, number>;

/** Identifiers of HTTP/2 settings that HTTP/3 forbids (RFC 9114, 7.2.4.1). */
const FORBIDDEN_SETTINGS = new Set([0x00, 0x02, 0x03, 0x04, 0x05]);
/** Settings that are a yes or a no: anything above 1 is an error. */
const FLAG_SETTINGS = new Set([SETTING_ENABLE_CONNECT_PROTOCOL, SETTING_H3_DATAGRAM]);

/**
 * What this layer announces: no dynamic QPACK table, extended CONNECT, HTTP datagrams and WebTransport under each of
 * the numbers that Chromium, Firefox and Deno look for, one session a connection.
 */
export function ownSettings(maxHeaderBytes: number): Settings {
  return new Map([
    [SETTING_QPACK_MAX_TABLE_CAPACITY, 0],
    [SETTING_MAX_FIELD_SECTION_SIZE, maxHeaderBytes],
    [SETTING_QPACK_BLOCKED_STREAMS, 0],
    [SETTING_ENABLE_CONNECT_PROTOCOL, 1],
    [SETTING_H3_DATAGRAM, 1],
    [SETTING_H3_DATAGRAM_DRAFT04, 1],
    [SETTING_ENABLE_WEBTRANSPORT, 1],
    [SETTING_WEBTRANSPORT_MAX_SESSIONS, 1],
  ]);
}

/** The payload of a SETTINGS frame. */
export function encodeSettings(settings: Settings): Uint8Array {
  return encodeVarints(...[...settings].flat());
}

/** Reads the payload of a SETTINGS frame; unknown identifiers are kept, they mean nothing to anybody. */
export function decodeSettings(payload: Uint8Array): Settings {
  const settings = new Map<number, number>();
  let offset = 0;
  while (offset < payload.length) {
    const id = readVarint(payload, offset);
    offset += varintLengthFromFirstByte(payload[offset] as number);
    const value = id === VARINT_INCOMPLETE ? VARINT_INCOMPLETE : readVarint(payload, offset);
    if (value === VARINT_INCOMPLETE)
      throw new Http3Error(H3_FRAME_ERROR, "A SETTINGS frame ends inside a setting.");
    offset += varintLengthFromFirstByte(payload[offset] as number);
    if (settings.has(id)) throw new Http3Error(H3_SETTINGS_ERROR, `Setting ${id} comes twice.`);
    if (FORBIDDEN_SETTINGS.has(id))
      throw new Http3Error(H3_SETTINGS_ERROR, `Setting ${id} belongs to HTTP/2.`);
    if (FLAG_SETTINGS.has(id) && value > 1) {
      throw new Http3Error(H3_SETTINGS_ERROR, `Setting ${id} must be 0 or 1, not ${value}.`);
    }
    settings.set(id, value);
  }
  return settings;
}

/** Whether the other side's settings allow WebTransport: datagrams, and one of the two WebTransport settings. */
export function speaksWebTransport(settings: Settings): boolean {
  const datagrams =
    settings.get(SETTING_H3_DATAGRAM) === 1 || settings.get(SETTING_H3_DATAGRAM_DRAFT04) === 1;
  const sessions =
    (settings.get(SETTING_WEBTRANSPORT_MAX_SESSIONS) ?? 0) > 0 ||
    settings.get(SETTING_ENABLE_WEBTRANSPORT) === 1;
  return datagrams && sessions;
}
