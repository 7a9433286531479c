/** etcd's transactions: conditions on keys, and what is done when all of them hold or not (etcd API v3, Txn). */
import { MAX_ETCD_PAGE_KEYS } from "../limits.ts";
import { type KeyValue, rangeAnswer, txnAnswer } from "./answers.ts";
import type { EtcdClient } from "./etcd-client.ts";
import { EtcdAnswerTooLargeError } from "./exchange.ts";
import { base64KeyAfter } from "./text-bytes.ts";

/** The key was last written as this revision; 0: it is not there. */
export function isAt(key: string, revision: number): object {
  return { key, target: "MOD", result: "EQUAL", mod_revision: String(revision) };
}

/** The key is there, whatever it holds. */
export function isThere(key: string): object {
  return { key, target: "CREATE", result: "GREATER", create_revision: "0" };
}

/** The key is there with exactly this value (in base64). */
export function holds(key: string, value: string): object {
  return { key, target: "VALUE", result: "EQUAL", value };
}

/** The key is there under this lease. */
export function isUnder(key: string, lease: string): object {
  return { key, target: "LEASE", result: "EQUAL", lease };
}

export function put(key: string, value: string, lease = "0"): object {
  return { request_put: { key, value, lease } };
}

export function get(key: string): object {
  return { request_range: { key } };
}

export function remove(key: string): object {
  return { request_delete_range: { key } };
}

interface TxnResult {
  succeeded: boolean;
  /** etcd's revision after it; what it wrote was written as this revision. */
  revision: number;
  /** What each `get` found, in order. */
  found: (KeyValue | undefined)[];
}

export async function transact(
  client: EtcdClient,
  txn: { compare: object[]; success: object[]; failure?: object[] },
): Promise<TxnResult> {
  const { header, succeeded, responses } = await client.call("/v3/kv/txn", txn, txnAnswer);
  const found = responses.flatMap(({ response_range }) => (response_range ? [response_range.kvs[0]] : []));
  return { succeeded, revision: header.revision, found };
}

/**
 * Calls `each` with all keys of a range as they were at one revision, which is returned. Read in pages; a page that is
 * too large is read in smaller ones.
 */
export async function readRange(
  client: EtcdClient,
  range: { key: string; range_end: string },
  each: (kv: KeyValue) => void,
  timeoutMs?: number,
): Promise<number> {
  let revision = 0;
  let { key } = range;
  let limit = MAX_ETCD_PAGE_KEYS;
  for (;;) {
    const page = { key, range_end: range.range_end, limit: String(limit), revision: String(revision) };
    try {
      const { header, kvs, more } = await client.call("/v3/kv/range", page, rangeAnswer, timeoutMs);
      revision ||= header.revision;
      kvs.forEach(each);
      const last = kvs.at(-1);
      if (!more || last === undefined) return revision;
      key = base64KeyAfter(last.key);
      limit = MAX_ETCD_PAGE_KEYS;
    } catch (error) {
      if (!(error instanceof EtcdAnswerTooLargeError) || limit === 1) throw error;
      limit = Math.ceil(limit / 8);
    }
  }
}
