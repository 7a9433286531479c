/**
 * The numbers of HTTP/3, QPACK, HTTP datagrams and WebTransport that this layer uses, and the one error class
 * that carries such a number (RFC 9114, 9204, 9220, 9297; draft-ietf-webtrans-http3).
 */

export const FRAME_DATA = 0x00;
export const FRAME_HEADERS = 0x01;
export const FRAME_CANCEL_PUSH = 0x03;
export const FRAME_SETTINGS = 0x04;
export const FRAME_PUSH_PROMISE = 0x05;
export const FRAME_GOAWAY = 0x07;
export const FRAME_MAX_PUSH_ID = 0x0d;
/** HTTP/2 frame types that HTTP/3 forbids (RFC 9114, section 7.2.8). */
export const FORBIDDEN_FRAMES: ReadonlySet<number> = new Set([0x02, 0x06, 0x08, 0x09]);

/** The first varint of a bidirectional WebTransport stream; HTTP/3 itself reserves it as a frame type. */
export const SIGNAL_WEBTRANSPORT_BIDIRECTIONAL = 0x41;

export const STREAM_CONTROL = 0x00;
export const STREAM_PUSH = 0x01;
export const STREAM_QPACK_ENCODER = 0x02;
export const STREAM_QPACK_DECODER = 0x03;
export const STREAM_WEBTRANSPORT_UNIDIRECTIONAL = 0x54;

export const SETTING_QPACK_MAX_TABLE_CAPACITY = 0x01;
export const SETTING_MAX_FIELD_SECTION_SIZE = 0x06;
export const SETTING_QPACK_BLOCKED_STREAMS = 0x07;
export const SETTING_ENABLE_CONNECT_PROTOCOL = 0x08;
export const SETTING_H3_DATAGRAM = 0x33;
/** HTTP datagrams before the RFC (draft 04), still looked for by some clients. */
export const SETTING_H3_DATAGRAM_DRAFT04 = 0xffd277;
/** WebTransport draft 02: 1 means that it is spoken. */
export const SETTING_ENABLE_WEBTRANSPORT = 0x2b603742;
/** WebTransport draft 07: how many sessions a connection may carry. */
export const SETTING_WEBTRANSPORT_MAX_SESSIONS = 0xc671706a;

export const CAPSULE_CLOSE_WEBTRANSPORT_SESSION = 0x2843;
export const CAPSULE_DRAIN_WEBTRANSPORT_SESSION = 0x78ae;

export const H3_DATAGRAM_ERROR = 0x33;
export const H3_NO_ERROR = 0x100;
export const H3_STREAM_CREATION_ERROR = 0x103;
export const H3_CLOSED_CRITICAL_STREAM = 0x104;
export const H3_FRAME_UNEXPECTED = 0x105;
export const H3_FRAME_ERROR = 0x106;
export const H3_EXCESSIVE_LOAD = 0x107;
export const H3_ID_ERROR = 0x108;
export const H3_SETTINGS_ERROR = 0x109;
export const H3_MISSING_SETTINGS = 0x10a;
export const H3_REQUEST_INCOMPLETE = 0x10d;
export const H3_MESSAGE_ERROR = 0x10e;
export const QPACK_DECOMPRESSION_FAILED = 0x200;
export const QPACK_ENCODER_STREAM_ERROR = 0x201;

/** A rule of HTTP/3, QPACK or WebTransport that the other side broke; `code` is what its connection is closed with. */
export class Http3Error extends Error {
  readonly code: number;

  constructor(code: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "Http3Error";
    this.code = code;
  }
}
