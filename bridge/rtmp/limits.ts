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

/** Open connections of one ingest server; a further one is closed at once. */
export const MAX_CONNECTIONS = 512;
/** Those of one address that do not publish yet; a further one is closed at once. */
export const MAX_UNPUBLISHED_PER_ADDRESS = 16;
/** Connections that do not publish yet, of all addresses; a further one is closed at once. */
export const MAX_UNPUBLISHED = 128;
/** Log lines of one server in a second; further ones are counted, and the next second's first says how many. */
export const MAX_LOG_LINES_PER_SECOND = 50;
/** From connection to a whole handshake; then it is cut off. */
export const HANDSHAKE_MS = 10_000;
/** From handshake, or the end of the last publication, to Publish.Start; then the connection is closed. */
export const SETUP_MS = 30_000;
/** An answer about a stream key that takes longer counts as none: the sender is told to try again. */
export const AUTHORISE_MS = 10_000;
/** After so long without a byte a ping is sent. */
export const PING_AFTER_MS = 5_000;
/** After so long without a byte the connection is closed as idle. */
export const IDLE_MS = 20_000;
/** How long a connection that we end is still read, so that the reason arrives before the reset that unread bytes would cause. */
export const LINGER_MS = 1_000;
/** Replies that the sender has not read; above it the connection is closed. */
export const MAX_QUEUED_REPLY_BYTES = 256 * 1024;
/** Message streams that one connection creates; a further createStream is answered with an error. */
export const MAX_MESSAGE_STREAMS = 32;
/** Commands in one connection between two seconds; more end it as `too-large`. */
export const MAX_COMMANDS_PER_SECOND = 50;
/** Characters of an app or stream name, query included; a longer one is refused. */
export const MAX_NAME_CHARS = 1_024;

/** Wrong stream keys from one address within KEY_WINDOW_MS; after them every connection from it is rejected until they are older. */
export const MAX_WRONG_KEYS = 10;
export const KEY_WINDOW_MS = 60_000;
/** Addresses whose wrong keys are remembered; above it the oldest is forgotten. */
export const MAX_REMEMBERED_ADDRESSES = 10_000;
/** Takeovers of one publication within FLAP_WINDOW_MS; a further one is refused until it is quiet. */
export const MAX_TAKEOVERS = 4;
export const FLAP_WINDOW_MS = 60_000;

/** Bytes of one access unit that is handed on; a larger one is dropped as `too-large`. */
export const MAX_UNIT_BYTES = 1_500_000;
/** Tags in a row that cannot be read; one more ends the publication. Single ones are dropped as `malformed`. */
export const MAX_MALFORMED_IN_A_ROW = 50;
/** Time that runs backwards on a track by up to this is taken as jitter and straightened; by more, the publication ends. */
export const MAX_STEP_BACK_MS = 1_000;
