/** Maxima of making fragmented MP4, and what happens at each. */

/** How long a part is meant to be, microseconds. */
export const PART_US = 200_000;
/** Longest part: a keyframe that comes so soon after a part's usual end still ends it. PART_US is 85 % of it, as RFC 8216bis, 4.4.4.9 asks. */
export const MAX_PART_US = 235_000;
/** How long a segment is meant to be, microseconds. */
export const SEGMENT_US = 2_000_000;
/** A keyframe begins a new segment when the one before is so old; an earlier one lies within it, unless its format is another. */
export const MIN_SEGMENT_US = 1_500_000;
/** Longest segment: without a keyframe until then the picture is left out until one comes. */
export const MAX_SEGMENT_US = 4_000_000;
/** Time between two requests for a keyframe while one is wanted. */
export const KEYFRAME_INTERVAL_US = 500_000;
/** A part does not wait longer for a picture while sound goes on; the picture before covers the time. */
export const PICTURE_WAIT_US = 300_000;
/** A part does not wait longer for sound, which an encoder may hold up, while pictures go on; sound that comes later is left out and counted. */
export const SOUND_WAIT_US = 2_000_000;
/** Without a picture for so long the programme counts as sound alone, even though somebody's picture should be there. */
export const PICTURE_GONE_US = 2_000_000;
/** Without a picture for so long, though somebody's should be there, the last keyframe is held; less than PICTURE_GONE_US. */
export const FILL_AFTER_US = 1_000_000;
/** How long it is held; then a black picture takes its place. */
export const HOLD_US = 10_000_000;
/** Time between two of the same keyframe while it is held: less than PICTURE_GONE_US, and not much to carry. */
export const HOLD_INTERVAL_US = 1_000_000;
/** Time between two black pictures; each part has one. */
export const FILL_INTERVAL_US = 200_000;
/** At the very beginning sound waits so long for the first keyframe of a picture that is there. */
export const FIRST_PICTURE_WAIT_US = 1_500_000;
/** Pictures that wait for their part; at more they are left out and counted until the next keyframe. */
export const MAX_WAITING_PICTURES = 1_024;
/** Bytes of the same. */
export const MAX_WAITING_BYTES = 32 * 1024 * 1024;
/** Frames of sound that wait for their part; at more the oldest is left out and counted. */
export const MAX_WAITING_FRAMES = 1_024;
/** Bytes of SPS or PPS; a picture with longer ones is left out. */
export const MAX_PARAMETER_SET_BYTES = 1_024;
/** Width and height of a picture; one with a larger SPS is left out. */
export const MAX_PICTURE_EDGE = 16_384;
/** Sinks of one writer of parts; a further one is refused with an error. */
export const MAX_PART_SINKS = 16;
