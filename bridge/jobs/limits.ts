/** Every maximum and time of a bridge's jobs, and what happens at it. */

/** After its lease was lost a bridge lets its jobs run for so long while it registers and claims them anew; then they are stopped. A shorter lease counts instead. */
export const REATTACH_MS = 5_000;
/** Between two attempts to register: grows from the first to the second. */
export const REGISTER_RETRY_MS = 200;
export const MAX_REGISTER_RETRY_MS = 5_000;
/** Between two writes of a bridge's record. */
export const RECORD_INTERVAL_MS = 1_000;

/** A bridge that had nothing to claim waits for so long, and as much again at random: who had a job may have it back first. */
export const FIRST_CLAIM_MS = 20;
/** Between two claims, at random. */
export const CLAIM_JITTER_MS = 4;
/** A bridge leaves a job to others for so long if it is full and another is empty, and in proportion between; longer than the maximum never. */
export const CLAIM_LOAD_MS = 4_000;
export const MAX_CLAIM_WAIT_MS = 2_000;
/** After a claim that told nothing new: the watch is behind. */
export const CLAIM_LAG_MS = 100;
/** After the directory refused a claim nothing is claimed for so long. */
export const CLAIM_RETRY_MS = 1_000;

/** A job that failed is started again after so long; each failure doubles it, up to the second, and it varies by half. */
export const RESTART_MS = 500;
export const MAX_RESTART_MS = 30_000;
/** A job that ran for so long starts from the shortest pause again. */
export const RESTART_FORGIVEN_MS = 60_000;
/** A job that has not stopped by then is given up as stuck: its claim is released all the same. */
export const STOP_TIMEOUT_MS = 10_000;

/** Between two statuses of a job in the directory while only figures change; what is older is replaced. */
export const STATUS_INTERVAL_MS = 5_000;
/** The same when the state or what is said of it changes. */
export const STATUS_CHANGE_MS = 250;

/** A stream key: characters; a longer one is none of ours. */
export const MAX_STREAM_KEY_CHARS = 128;
/** Senders that may take an ingest from one another within the window; the next is refused and the last one stays. */
export const MAX_TAKEOVERS = 5;
export const TAKEOVER_WINDOW_MS = 60_000;
/** Attempts to put a job back that the directory has forgotten, a lease apart; then it is given up, and the log says so. */
export const MAX_PUT_BACK_ATTEMPTS = 20;
