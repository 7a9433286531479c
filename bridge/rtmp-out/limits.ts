/** Maxima of RTMP egress, and what happens at each. */

/** Bytes of sound and pictures that wait for one target; above it pictures up to the next keyframe are left out. */
export const MAX_TARGET_QUEUE_BYTES = 4 * 1024 * 1024;
/** Time between the oldest and the newest that wait for one target; above it pictures up to the next keyframe are left out. */
export const MAX_TARGET_QUEUE_MS = 3_000;
/** Pieces of sound and pictures that wait for one target; above it pictures up to the next keyframe are left out, then the oldest sound. */
export const MAX_TARGET_QUEUE_TAGS = 1_024;
/** Sound frames and pictures that wait to be put in order; above it the oldest goes on out of order. */
export const MAX_INTERLEAVED_TAGS = 256;
/** Sound or picture waits for the other at most so long, in media time; then it goes on without. */
export const MAX_INTERLEAVE_US = 200_000;
/** A target's URL has no more characters in its application, and in its stream key; a longer one is refused. */
export const MAX_URL_PART_CHARS = 1_024;
/** Addresses of a host that are looked at; further ones are not tried. */
export const MAX_ADDRESSES = 16;
/** Hosts and networks in the allow-list; a longer list is refused when the bridge starts. */
export const MAX_ALLOWED_TARGETS = 1_024;
/** Answers (to pings, acknowledgements) that a target has not taken yet; above it further ones are left out: it does not read anyway. */
export const MAX_PENDING_REPLIES = 8;
/** What a target says of itself is shown up to so many characters. */
export const MAX_QUOTED_CHARS = 200;

/** For each of: finding the address, connecting with TLS, and getting to publish. After it the target is tried again. */
export const CONNECT_TIMEOUT_MS = 10_000;
/** A target that takes not a byte for so long while some wait is left, and tried again. */
export const STALL_TIMEOUT_MS = 10_000;
/** Goodbyes at the end of an output; what has not been sent by then is lost. */
export const GOODBYE_TIMEOUT_MS = 2_000;
/** First pause before a target is tried again; each next one is twice as long. */
export const FIRST_PAUSE_MS = 250;
/** Longest pause after a target that was not reached: a target that comes back is found within it. */
export const LONGEST_PAUSE_MS = 3_000;
/** Longest pause after a target that was reached and refused. */
export const LONGEST_REFUSED_PAUSE_MS = 30_000;
/** A target that has run for so long begins with the first pause again. */
export const STABLE_AFTER_MS = 10_000;
/** Refusals in a row after which a target has failed and is not tried again. */
export const MAX_REFUSALS = 20;
/** Where a target has no keyframe to begin with for so long, it begins with sound. */
export const MAX_KEYFRAME_WAIT_MS = 3_000;
/** Where somebody's picture is said to be shown and does not come for so long at the beginning, the still does. */
export const MAX_PICTURE_WAIT_US = 1_000_000;
/** After an encoder has failed another one is opened so much later. */
export const ENCODER_RETRY_MS = 2_000;
/** A keyframe that is so old is followed by a request for another: what players and CDNs cut by. */
export const KEYFRAME_INTERVAL_US = 2_000_000;
