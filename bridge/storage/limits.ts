/** Maxima of storage, and what happens at each. */

/** Characters of a key; a longer one is refused with StorageError. */
export const MAX_KEY_CHARS = 512;
/** Folders and name of a key together; one with more is refused with StorageError. */
export const MAX_KEY_SEGMENTS = 16;

/** Bytes of one part of a multipart upload: at least 5 MiB is asked by S3, and all alike by R2. Held in memory while it is sent. */
export const UPLOAD_PART_BYTES = 8 * 1024 * 1024;
/** Parts of one upload (S3's own maximum); bytes beyond are refused with StorageError, at 80 GiB with parts of 8 MiB. */
export const MAX_UPLOAD_PARTS = 10_000;
/** Times that an upload's completion fails before the upload is begun anew. */
export const MAX_FAILED_COMPLETIONS = 5;
/** Bytes spooled on local disk because S3 does not take them, or has not yet; above it more are refused as a temporary StorageError. */
export const MAX_SPOOL_BYTES = 64 * 1024 * 1024 * 1024;
/** Uploads of different objects at the same time; others wait for their turn. */
export const MAX_PARALLEL_UPLOADS = 4;
/** Uploads that one search for orphans gives up; further ones are left to the next. */
export const MAX_ORPHANS = 1_000;
/** Bytes of an answer that is read whole (lists, errors); a longer one is an error. */
export const MAX_ANSWER_BYTES = 4 * 1024 * 1024;
/** Tries of one request before it fails. */
export const MAX_TRIES = 5;
/** First wait before another try, milliseconds; doubles each time and is drawn from its upper half. */
export const FIRST_RETRY_MS = 200;
/** Longest such wait. An upload is tried again for ever at this pace. */
export const MAX_RETRY_MS = 30_000;
/** Longest Retry-After that is obeyed. */
export const MAX_RETRY_AFTER_MS = 120_000;
/** An answer that has not begun after so long fails the try. */
export const REQUEST_TIMEOUT_MS = 60_000;
/** `put` and `finish` wait so long for S3; after that the bytes are safe in the spool and go out behind. */
export const UPLOAD_WAIT_MS = 10_000;
