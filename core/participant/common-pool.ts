/** Memory for recovery that all participants of one process or worker share. */
import { BlockPool } from "../delivery/reed-solomon/block-pool.ts";
import { MAX_RECOVERY_SYMBOLS_PER_PARTICIPANT } from "../wire/limits.ts";

let pool: BlockPool | undefined;

/** The one pool, made when it is first needed. */
export function commonPool(): BlockPool {
  pool ??= new BlockPool({ capacity: MAX_RECOVERY_SYMBOLS_PER_PARTICIPANT });
  return pool;
}
