/** Maxima of RTMP: protocol and ingest. Each says what happens at it. */

/** Payload of one message; a longer one ends the connection as `too-large`. Access units have at most 1.5 MB; the format could say 16. */
export const MAX_MESSAGE_BYTES = 2 * 1024 * 1024;
/** The same until somebody was allowed to publish: commands only. */
export const MAX_COMMAND_BYTES = 64 * 1024;
/** Declared lengths of messages in progress together, over all chunk streams; above it the connection ends as `too-large`. */
export const MAX_PARTIAL_BYTES = 2 * MAX_MESSAGE_BYTES;
/** Chunk streams that one connection opens; a further one ends it as `too-large`. Encoders use four to six. */
export const MAX_CHUNK_STREAMS = 64;
/** Chunks larger than the largest message make no difference (specification 5.4.1), so larger sizes are taken as this. */
export const MAX_CHUNK_BYTES = 0xff_ffff;

/** Nesting of AMF0 objects and arrays; deeper is `too-large`. */
export const MAX_AMF_DEPTH = 8;
/** Values in one AMF0 body, those in objects included; more is `too-large`. */
export const MAX_AMF_VALUES = 1_024;
/** Bytes of one AMF0 string; more is `too-large`. */
export const MAX_AMF_STRING_BYTES = 32 * 1024;

/** Tracks in one multitrack tag; a tag with more is `too-large`. */
export const MAX_TAG_TRACKS = 16;
/** ModEx blocks in front of one tag; more is `too-large`. */
export const MAX_MOD_EX = 8;
