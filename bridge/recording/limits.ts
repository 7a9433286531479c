/** Maxima of recordings, and what happens at each. */

/** Bytes that wait for the storage in one recording, about a minute at 4 Mb/s; parts beyond are lost, counted as `queue-full`, and the recording goes on at a later segment. */
export const MAX_QUEUED_BYTES = 32 * 1024 * 1024;
/** The same in the file of one participant, a minute at 1 Mb/s. */
export const MAX_QUEUED_FILE_BYTES = 8 * 1024 * 1024;
/** Files of single participants that one recording writes at once, each with an encoder of its own; whoever is beyond gets none, counted as `too-many-at-once`. */
export const MAX_OPEN_PARTICIPANT_FILES = 32;
/** Files of single participants in one recording; further stays get none, counted as `too-many-files`. */
export const MAX_PARTICIPANT_FILES = 200;
/** Bytes that are appended at once. */
export const MAX_APPEND_BYTES = 4 * 1024 * 1024;
/** Bytes of one init segment or part; a larger one is lost, counted as `malformed`. */
export const MAX_INIT_BYTES = 64 * 1024;
export const MAX_PART_BYTES = 16 * 1024 * 1024;
/** First wait before the storage is tried again, milliseconds; doubles each time and is drawn from its upper half. */
export const FIRST_RETRY_MS = 250;
/** Longest such wait. */
export const MAX_RETRY_MS = 5_000;
/** How long the end of a recording waits for a storage that fails; what is queued then is lost, counted as `closed`. */
export const MAX_CLOSE_MS = 20_000;

/** Segments of one recording, ten days of them; parts beyond are lost, counted as `too-long`. */
export const MAX_SEGMENTS = 432_000;
/** Init segments of one recording; a part that needs another one is lost, counted as `too-many-formats`. */
export const MAX_INITS = 20_000;
/** Bytes of an index that is read; a longer one is not believed, and made anew from the media. */
export const MAX_INDEX_BYTES = 64 * 1024 * 1024;
/** Bytes of a record that is read; a longer one is left out of the catalogue. */
export const MAX_RECORD_BYTES = 1024 * 1024;
/** Participants that a record names; further ones are left out. */
export const MAX_RECORDED_PARTICIPANTS = 1_000;
/** Recordings that the catalogue knows; further ones are left out of lists and retention until others are deleted. */
export const MAX_CATALOGUE = 100_000;

/** Least time between two saved indexes of a running recording: what repair has to walk through at most, and what others see of it. */
export const CHECKPOINT_MS = 10_000;
/** Uploads of recordings that are over are given up when they were begun so long ago. */
export const ORPHAN_AGE_MS = 3_600_000;
/** How long a catalogue is believed before the storage is asked again. */
export const CATALOGUE_FRESH_MS = 2_000;
/** The same where everybody may ask, whatever they ask for: recordings of other bridges are found so much later. */
export const SHOWN_FRESH_MS = 30_000;
/** How long the beginning of a recording waits for the list of those that there are; then it begins without it. */
export const MAX_LIST_WAIT_MS = 10_000;
/** Time between two looks for recordings that are to be deleted. */
export const RETENTION_PERIOD_MS = 600_000;
/** A poster that is not made after so long is given up. */
export const MAX_POSTER_MS = 10_000;
/** Bytes of a poster; a larger one is not kept. */
export const MAX_POSTER_BYTES = 1024 * 1024;

/** Recordings on one page of the list; more asked for are cut to it. */
export const MAX_LISTED = 200;
export const DEFAULT_LISTED = 50;
/** Indexes of ended recordings kept in memory for whoever plays them; the one not used for longest is let go of. */
export const MAX_CACHED_INDEXES = 64;
/** Characters of a file name in a download; a longer room name is cut. */
export const MAX_FILE_NAME_CHARS = 120;
