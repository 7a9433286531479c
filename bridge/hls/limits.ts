/** Maxima and times of LL-HLS, and what happens at each. */
import { MAX_PART_US, MAX_SEGMENT_US } from "../fmp4/limits.ts";

/** EXT-X-TARGETDURATION: no segment is longer when rounded to whole seconds. */
export const TARGET_SECONDS = Math.round(MAX_SEGMENT_US / 1e6);
/** PART-TARGET: no part is longer. */
export const PART_TARGET_US = MAX_PART_US;
/** PART-HOLD-BACK: how far players stay behind the end, at least three parts; what is above that is their reserve for a network that halts. */
export const PART_HOLD_BACK_US = 1_400_000;
/** HOLD-BACK: the same for players that do not take parts, three target durations. */
export const HOLD_BACK_SECONDS = 3 * TARGET_SECONDS;
/** CAN-SKIP-UNTIL: what is so far from the end is left out of delta playlists; six target durations at least. */
export const SKIP_UNTIL_US = 6 * TARGET_SECONDS * 1_000_000;
/** Parts are listed so far from the end; older ones only as segments. */
export const LISTED_PARTS_US = 3 * TARGET_SECONDS * 1_000_000;

/** Segments of a live playlist; at more the oldest is no longer listed but by a history. */
export const MAX_WINDOW_SEGMENTS = 30;
/** Segments that can still be fetched after they are no longer listed, for players with an older playlist; then 404. */
export const KEPT_SEGMENTS = 10;
/** Bytes of all segments of one rendition in memory; above it the oldest are let go of early. */
export const MAX_WINDOW_BYTES = 96 * 1024 * 1024;
/** Parts of one segment; further ones are joined to the last. */
export const MAX_SEGMENT_PARTS = 64;
/** Segments of history in a playlist; at more the oldest are not listed. 12 hours of 2 s. */
export const MAX_HISTORY_SEGMENTS = 21_600;

/** How long an output that was deleted stays in memory with its playlists' end, so that players that are behind finish. */
export const ENDED_ROOM_MS = 300_000;
/** Ended outputs that stay; at more the one that ended first goes early. */
export const MAX_ENDED_ROOMS = 8;

/** Requests that wait for something that is not there yet, of one rendition; a further one is answered 503. */
export const MAX_WAITING_REQUESTS = 20_000;
/** Longest wait of a request, then 503: three target durations, as RFC 8216bis, 6.2.5.2 has it. */
export const MAX_WAIT_MS = 3 * TARGET_SECONDS * 1000;
/** How many segments, and how many parts of the running one, a request may be ahead of the end; further ahead is 400. */
export const MAX_SEGMENTS_AHEAD = 2;
export const MAX_PARTS_AHEAD = Math.ceil(3_000_000 / PART_TARGET_US);
/** Digits of a number in a query; a longer one is 400. */
export const MAX_QUERY_DIGITS = 15;
