/** Maxima of encoding sound, and what happens at each. */

/** Sound blocks of 20 ms that wait for one encoder; a further one is left out and counted, and the sound after it keeps its time. */
export const MAX_WAITING_BLOCKS = 250;

/** Encoded bytes that wait for one decoder of foreign sound; further ones are left out and counted. Some 10 s at 320 kbit/s. */
export const MAX_DECODER_BACKLOG_BYTES = 400_000;
/** What a decoder says of its failure that is kept: characters; a longer line is cut. */
export const MAX_DECODER_COMPLAINT_CHARS = 300;
