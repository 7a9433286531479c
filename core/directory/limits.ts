/** Every maximum of the directory and what happens at it; times of the etcd directory with them. */

/** Bans remembered at once; a further one is refused until an older one has run out. */
export const MAX_BANS = 100_000;
/** Relays and claims that a view of etcd holds; further ones are skipped and counted. */
export const MAX_RELAYS = 10_000;
export const MAX_ROOM_CLAIMS = 1_000_000;
/** Largest epoch that a claim may be asked to come after; a larger one is refused. Leaves room below 2^53 to count on. */
export const MAX_EPOCH = 2 ** 52;

/** Characters of an etcd key and of a value; what is longer is not ours and is skipped and counted. */
export const MAX_ETCD_KEY_CHARS = 1_024;
export const MAX_ETCD_VALUE_CHARS = 16_384;
/** The same of a job and a job's status, in base64; a larger job is refused. The largest that a gateway takes is smaller. */
export const MAX_WORK_VALUE_CHARS = 131_072;
/** Bridges that are known at once; further ones are skipped and counted. */
export const MAX_BRIDGES = 1_000;
/** Bytes of one answer and of one line of a watch; above it a page is read in halves, a watch starts over. */
export const MAX_ETCD_ANSWER_BYTES = 16 * 1024 * 1024;
/** Keys read with one call. */
export const MAX_ETCD_PAGE_KEYS = 500;
/** Attempts of one compare-and-set; after them the call fails, and whoever made it may try again. */
export const MAX_CAS_ATTEMPTS = 32;
/** Skipped values that are named in the log; further ones are counted only. */
export const MAX_LOGGED_VALUES = 32;
/** Answers remembered for the time when etcd does not answer; the oldest is forgotten. */
export const MAX_LAST_READS = 10_000;

/** A call that has no answer after this long goes to the next endpoint. */
export const ETCD_CALL_TIMEOUT_MS = 2_000;
/** The same for reads that have something to fall back on: a join waits for them. */
export const ETCD_READ_TIMEOUT_MS = 1_000;
/** For this long after all endpoints failed, such reads do not ask again. */
export const ETCD_OUTAGE_PAUSE_MS = 1_000;
/** A watch that says nothing for this long is started again where it was; that finds etcds that are frozen. */
export const ETCD_WATCH_IDLE_MS = 10_000;
/** What was read or watched is good for this long while etcd does not answer; then reads fail. */
export const MAX_ETCD_VIEW_AGE_MS = 3_600_000;
/** Between two attempts of a keepalive while the lease could still live. */
export const ETCD_KEEPALIVE_RETRY_MS = 200;
/** Between two attempts of a watch: grows from the first to the second. */
export const ETCD_WATCH_RETRY_MS = 200;
export const MAX_ETCD_WATCH_RETRY_MS = 2_000;
/** A ban stays in etcd for this long after its end, for readers whose clocks are late. */
export const ETCD_BAN_MARGIN_SECONDS = 60;
