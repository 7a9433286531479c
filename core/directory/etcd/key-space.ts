/**
 * What lies where in etcd, and what of it may be believed. Keys: `<prefix>relays/<id>`, `rooms/<room>`,
 * `bans/<room>/<token>`, each name percent-encoded, and `epoch` (epochs.ts); what bridges do is in work-keys.ts. A value
 * that is not what we would write is as good as absent; it is counted, and named in the log once.
 */
import { z } from "zod";
import type { Ban, RelayRecord, RoomClaim } from "../directory.ts";
import { MAX_EPOCH, MAX_ETCD_KEY_CHARS, MAX_ETCD_VALUE_CHARS } from "../limits.ts";
import { relayRecordSchema } from "../relay-record.ts";
import type { KeyValue } from "./answers.ts";
import { jsonOf } from "./failures.ts";
import { SkippedValues } from "./skipped-values.ts";
import { base64OfText, textOfBase64 } from "./text-bytes.ts";

/** What a key is about. The name is its own within the kind. */
export type Subject = { kind: "relay" | "room" | "ban" | "epoch"; name: string };

export type Entry =
  | { kind: "relay"; name: string; relay: RelayRecord }
  | { kind: "room"; name: string; claim: RoomClaim }
  | { kind: "ban"; name: string; ban: Ban };

/** The base of all epochs of one etcd. */
export const epochValueSchema = z.object({
  /** Random: tells an etcd that began anew from the one before. */
  instance: z.string().min(1).max(64),
  base: z.number().int().min(0).max(MAX_EPOCH),
});

/** The epoch is the base that held when the claim was written, plus the revision that it was written as. */
const roomValueSchema = z.object({ relayId: z.string().min(1).max(128), base: epochValueSchema.shape.base });
const banValueSchema = z.object({ untilSeconds: z.number().min(0) });

const FOLDERS = { relay: "relays/", room: "rooms/", ban: "bans/" } as const;
/** What bridges do changes often and is nothing to relays: it lies behind everything that they watch. */
export const WORK_FOLDER = "work/";

export class KeySpace {
  readonly prefix: string;
  readonly #skipped: SkippedValues;

  constructor(prefix: string, log: (line: string) => void) {
    this.prefix = prefix;
    this.#skipped = new SkippedValues(log);
  }

  /** Times that a value was passed over because it is not ours. */
  get skippedValues(): number {
    return this.#skipped.count;
  }

  relay(id: string): string {
    return base64OfText(`${this.prefix}${FOLDERS.relay}${encodedName(id)}`);
  }

  room(room: string): string {
    return base64OfText(`${this.prefix}${FOLDERS.room}${encodedName(room)}`);
  }

  ban(room: string, token: string): string {
    return base64OfText(`${this.prefix}${FOLDERS.ban}${banName(room, token)}`);
  }

  get epoch(): string {
    return base64OfText(`${this.prefix}epoch`);
  }

  /** All keys of one kind, or of all, as etcd wants a range. All are those before the bridges' work. */
  range(kind?: keyof typeof FOLDERS): { key: string; range_end: string } {
    if (kind) return rangeOf(this.prefix + FOLDERS[kind]);
    return { key: base64OfText(this.prefix), range_end: base64OfText(this.prefix + WORK_FOLDER) };
  }

  /** Undefined for keys that are not ours. */
  subjectOf(base64Key: string): Subject | undefined {
    if (base64Key.length > MAX_ETCD_KEY_CHARS) return undefined;
    const key = textOfBase64(base64Key);
    if (!key?.startsWith(this.prefix)) return undefined;
    const path = key.slice(this.prefix.length);
    if (path === "epoch") return { kind: "epoch", name: "" };
    for (const kind of ["relay", "room", "ban"] as const) {
      if (path.startsWith(FOLDERS[kind])) return { kind, name: path.slice(FOLDERS[kind].length) };
    }
    return undefined;
  }

  /** What a key and its value say; undefined, and counted, when that is nothing of ours. */
  entryOf(kv: KeyValue): Entry | undefined {
    const subject = this.subjectOf(kv.key);
    if (subject?.kind === "epoch") return undefined;
    const entry = subject && this.#read(subject, kv);
    if (!entry) this.skip(kv.key, "does not hold what Tributary writes there");
    return entry;
  }

  /** Counts a value that is passed over, and names the first ones. */
  skip(base64Key: string, why: string): void {
    this.#skipped.skip(base64Key, why);
  }

  #read(subject: Subject, kv: KeyValue): Entry | undefined {
    const value = jsonOfValue(kv);
    const { name } = subject;
    if (subject.kind === "relay") {
      const relay = relayRecordSchema.safeParse(value);
      if (!relay.success || encodedName(relay.data.id) !== name) return undefined;
      return { kind: "relay", name, relay: relay.data };
    }
    if (subject.kind === "room") {
      const room = decoded(name);
      const held = roomValueSchema.safeParse(value);
      if (room === undefined || !held.success) return undefined;
      const epoch = held.data.base + kv.mod_revision;
      return { kind: "room", name, claim: { room, relayId: held.data.relayId, epoch } };
    }
    const [room, token, ...more] = name.split("/").map(decoded);
    const ban = banValueSchema.safeParse(value);
    if (room === undefined || token === undefined || more.length > 0 || !ban.success) return undefined;
    return { kind: "ban", name, ban: { room, token, ...ban.data } };
  }
}

/** A value as JSON; undefined when it is none, or longer than anything of ours. */
export function jsonOfValue(kv: KeyValue, maxChars = MAX_ETCD_VALUE_CHARS): unknown {
  if (kv.value.length > maxChars) return undefined;
  return jsonOf(textOfBase64(kv.value) ?? "");
}

export function base64OfJson(value: object): string {
  return base64OfText(JSON.stringify(value));
}

export function banName(room: string, token: string): string {
  return `${encodedName(room)}/${encodedName(token)}`;
}

export function encodedName(name: string): string {
  // Half a character of UTF-16 has no UTF-8, and encodeURIComponent throws at it.
  return encodeURIComponent(name.toWellFormed());
}

/** Only the way in which we encode it: one name must not have two keys. */
export function decoded(name: string): string | undefined {
  try {
    const text = decodeURIComponent(name);
    return encodedName(text) === name ? text : undefined;
  } catch {
    return undefined;
  }
}

/** Everything that begins with `start` (which is not empty): up to the same with its last character one higher. */
export function rangeOf(start: string): { key: string; range_end: string } {
  const last = start.charCodeAt(start.length - 1);
  const end = start.slice(0, -1) + String.fromCharCode(last + 1);
  return { key: base64OfText(start), range_end: base64OfText(end) };
}
