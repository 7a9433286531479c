/** Maxima of MP3 outputs, and what happens at each. */

/** Listeners of one output; a further one is refused with 503 until somebody leaves. */
export const MAX_MP3_LISTENERS = 20_000;
/**
 * Bytes that wait for one listener, behind what its connection has taken (16 s at 128 kbit/s); at more it is cut off and counted as slow, and
 * its player connects again.
 */
export const MAX_LISTENER_QUEUE_BYTES = 256 * 1024;
/** Frames (24 ms each) of the past that a new listener is given, so that its player starts at once: some 2 s. Older ones are let go of. */
export const BURST_FRAMES = 84;
/** Frames that are sent together, in one write a listener: more costs delay, less costs writes. */
export const CHUNK_FRAMES = 10;
/** Bytes of sound between two blocks of ICY metadata, as icecast does it. */
export const ICY_INTERVAL_BYTES = 16_000;
/** A title in ICY metadata is cut to so many bytes: more than players show, and far below the 4080 that a block holds. */
export const MAX_TITLE_BYTES = 400;
