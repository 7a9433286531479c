/** Relay records that come from outside (configuration, an etcd value): their schema, and copies of them. */
import { z } from "zod";
import type { RelayRecord } from "./directory.ts";

const CERTIFICATE_HASH = /^[A-Za-z0-9+/]{43}=$/;

const RELAY_URL = {
  protocol: /^https$/,
  error: "must be an https: URL, e.g. https://relay1.example.org:4433/",
};
const relayUrlSchema = z.union([z.literal(""), z.url(RELAY_URL)], { error: RELAY_URL.error });

/** A relay that is written down by hand may leave out what has an obvious value. */
export const relayRecordSchema = z
  .object({
    id: z.string().min(1).max(128),
    region: z.string().max(64).default(""),
    url: relayUrlSchema,
    fallbackUrl: relayUrlSchema.default(""),
    certificateHashes: z
      .array(z.string().regex(CERTIFICATE_HASH, "must be the base64 of a SHA-256 (44 characters)"))
      .max(8)
      .default([]),
    operationsUrl: z.url({
      protocol: /^https?$/,
      error: "must be an http: or https: URL, e.g. http://relay1.internal:9090/",
    }),
    capacity: z.number().int().min(1).default(1000),
    participants: z.number().int().min(0).default(0),
    version: z.string().max(64).default(""),
    draining: z.boolean().default(false),
    linkKey: z
      .string()
      .regex(/^([\w-]{43}\.[\w-]{43})?$/)
      .default(""),
  })
  .refine(({ url, fallbackUrl }) => url !== "" || fallbackUrl !== "", {
    path: ["url"],
    error: RELAY_URL.error,
  }) satisfies z.ZodType<RelayRecord>;

/** For a directory that must not share what it is handed and hands out. */
export function copyOfRecord(relay: RelayRecord): RelayRecord {
  return { ...relay, certificateHashes: [...relay.certificateHashes] };
}
