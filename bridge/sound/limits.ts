/** Maxima of encoding sound, and what happens at each. */

/** Sound blocks of 20 ms that wait for one encoder; a further one is left out and counted, and the sound after it keeps its time. */
export const MAX_WAITING_BLOCKS = 250;
