/** Compares and copies objects piece by piece, so that their length does not matter. */
import { UPLOAD_PART_BYTES } from "./limits.ts";
import type { Appending } from "./storage.ts";

type Read = (range: { offset: number; length: number }) => Promise<ReadableStream<Uint8Array> | undefined>;

/** Both have the same first `bytes` bytes. */
export async function isSame(one: Read, other: Read, bytes: number): Promise<boolean> {
  for (let offset = 0; offset < bytes; offset += UPLOAD_PART_BYTES) {
    const range = { offset, length: Math.min(UPLOAD_PART_BYTES, bytes - offset) };
    const [a, b] = [await wholeOf(await one(range)), await wholeOf(await other(range))];
    if (a.length !== range.length || a.length !== b.length || a.some((byte, at) => byte !== b[at]))
      return false;
  }
  return true;
}

/** Appends all of a body; nothing where there is none. */
export async function copy(body: ReadableStream<Uint8Array> | undefined, into: Appending): Promise<void> {
  const reader = body?.getReader();
  if (reader === undefined) return;
  for (let { value } = await reader.read(); value !== undefined; { value } = await reader.read())
    await into.append(value);
}

async function wholeOf(body: ReadableStream<Uint8Array> | undefined): Promise<Uint8Array> {
  return new Uint8Array(await new Response(body ?? null).arrayBuffer());
}
