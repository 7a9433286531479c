/**
 * What etcd's JSON gateway answers (etcd API v3, rpc.proto), as schemas. 64-bit integers are strings there, and fields
 * that are zero, false or empty are left out.
 */
import { z } from "zod";

/** Counts, revisions and times to live: far below 2^53. */
const count = z
  .string()
  .regex(/^\d{1,15}$/)
  .default("0")
  .transform(Number);
/** Leases have all 64 bits, so they stay text. */
const leaseId = z
  .string()
  .regex(/^-?\d{1,20}$/)
  .default("0");
const header = z.object({ revision: count, cluster_id: z.string().default("") });

const keyValue = z.object({
  key: z.string(),
  value: z.string().default(""),
  mod_revision: count,
  lease: leaseId,
});
export type KeyValue = z.output<typeof keyValue>;

const range = z.object({ kvs: z.array(keyValue).default([]), more: z.boolean().default(false), count });

export const rangeAnswer = range.extend({ header });

export const txnAnswer = z.object({
  header,
  succeeded: z.boolean().default(false),
  responses: z.array(z.object({ response_range: range.optional() })).default([]),
});

export const grantAnswer = z.object({ ID: leaseId, TTL: count });
/** A lease that is gone is answered without TTL. */
export const keepaliveAnswer = z.object({ result: z.object({ TTL: count }) });
export const authenticateAnswer = z.object({ token: z.string().min(1).max(4096) });
export const emptyAnswer = z.looseObject({});

/** One line of a watch. */
export const watchLine = z.object({
  result: z.object({
    created: z.boolean().default(false),
    canceled: z.boolean().default(false),
    cancel_reason: z.string().default(""),
    compact_revision: count,
    events: z.array(z.object({ type: z.enum(["PUT", "DELETE"]).default("PUT"), kv: keyValue })).default([]),
  }),
});
export type WatchLine = z.output<typeof watchLine>["result"];

/** `message` in newer versions, `error` in older ones; a stream has it one level deeper. */
export const failureAnswer = z.object({
  code: z.number().int().optional(),
  message: z.string().optional(),
  error: z.union([z.string(), z.object({ message: z.string() })]).optional(),
});
