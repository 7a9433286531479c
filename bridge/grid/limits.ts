/** Maxima and times of composed pictures, and what happens at each. */

/** Pictures side by side; of more, those who spoke last are shown. */
export const MAX_GRID_CELLS = 9;
/** Of the composed picture. */
export const GRID_WIDTH = 1_280;
export const GRID_HEIGHT = 720;
export const GRID_FRAMES_PER_SECOND = 30;
export const GRID_BITRATE_BPS = 2_500_000;
/** Longest time between two keyframes; more are made where they are asked for. */
export const GRID_KEYFRAME_SECONDS = 2;
/** Space between cells, even. */
export const GRID_GAP = 8;

/** An access unit goes to its decoder so long before it is composed; one that takes longer is composed late by what is missing. */
export const DECODE_LEAD_US = 150_000;
/** A composed frame is given out, encoded, so long after it was composed; one that takes longer goes out late, and others are left out (MAX_FRAMES_ENCODING). */
export const ENCODE_LEAD_US = 150_000;
/** What composing adds to the delay of a programme. */
export const GRID_DELAY_US = DECODE_LEAD_US + ENCODE_LEAD_US;

/** Decoded frames of one cell that wait to be composed; at more the oldest is left out and counted. */
export const MAX_CELL_FRAMES = 16;
/** Composed frames that an encoder has and has not answered; at more a frame is left out and counted. 266 ms at 30 a second. */
export const MAX_FRAMES_ENCODING = 8;
/** An encoder that has not answered a frame for so long is stuck, and is replaced. */
export const ENCODER_STUCK_US = 5_000_000;
/** Encoded bytes that wait to be taken by a decoder; at more the decoder counts as stuck, and is replaced. */
export const MAX_DECODER_BACKLOG_BYTES = 2 * 1024 * 1024;
/** Encoded pictures that wait for their time; at more the oldest are left out up to a keyframe, and counted. */
export const MAX_WAITING_UNITS = 64;
/** Bytes of one encoded picture; an encoder that makes more counts as failed. */
export const MAX_ENCODED_BYTES = 4 * 1024 * 1024;
/** Characters of what ffmpeg says that go into an error. */
export const MAX_COMPLAINT_CHARS = 300;

/** A layout stays at least so long: who joins and leaves meanwhile is in the next one. More than what a layout waits to be composed. */
export const LEAST_LAYOUT_US = 700_000;
/** A cell whose decoder is gone keeps its last picture so long, then is dark. */
export const KEEP_PICTURE_US = 1_500_000;
/** First pause before a decoder or an encoder that failed is started again; doubled with each failure, up to the longest. */
export const RESTART_US = 500_000;
export const MAX_RESTART_US = 30_000_000;
/** One that ran so long has not failed again. */
export const PROVEN_US = 20_000_000;
