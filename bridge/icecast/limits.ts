/** Maxima of Icecast ingest. Each says what happens at it. */

/** Open connections; a further one is closed at once. */
export const MAX_CONNECTIONS = 512;
/** Those of one address that do not send sound yet; a further one is closed at once. */
export const MAX_WAITING_PER_ADDRESS = 16;
/** Bytes of request line and headers; more is answered 431. */
export const MAX_HEAD_BYTES = 8 * 1024;
/** Header fields; more is answered 431. */
export const MAX_HEADERS = 64;
/** Length line of a chunk (RFC 9112, 7.1) with its extensions; a longer one ends the source. */
export const MAX_CHUNK_LINE_BYTES = 256;
/** From connection to whole headers; then it is answered 408. */
export const HEAD_MS = 10_000;
/** An answer about a stream key that takes longer counts as none: 503. */
export const AUTHORISE_MS = 10_000;
/** A source that sends nothing for so long is ended as idle. */
export const IDLE_MS = 20_000;
/** How long a connection that we end is still read, so that the answer arrives before the reset that unread bytes would cause. */
export const LINGER_MS = 1_000;
/** Characters of a title or of a station's name; a longer one is cut. */
export const MAX_TEXT_CHARS = 256;

/** Decoded blocks of 20 ms that wait for their time (5 s); at so many the decoder pauses, and with it the sender. */
export const MAX_WAITING_BLOCKS = 250;
/** Blocks that a source is ahead of playing before it begins, or goes on after it ran dry: 200 ms, and twice as many after each time, ... */
export const FIRST_CUSHION_BLOCKS = 10;
/** ... up to 2 s. */
export const MAX_CUSHION_BLOCKS = 100;
