/** Text as UTF-8, cut between characters where it is too long. The two classes are in every runtime of ours; core is compiled without their types. */
interface Utf8Runtime {
  TextEncoder: new () => { encodeInto(text: string, into: Uint8Array): { read: number; written: number } };
  TextDecoder: new () => { decode(bytes: Uint8Array): string };
}

const runtime = globalThis as unknown as Utf8Runtime;
const encoder = new runtime.TextEncoder();
const decoder = new runtime.TextDecoder();

/** At most `maxBytes`, whole characters only. */
export function utf8Of(text: string, maxBytes: number): Uint8Array {
  const bytes = new Uint8Array(maxBytes);
  return bytes.subarray(0, encoder.encodeInto(text, bytes).written);
}

/** What is no UTF-8 reads as replacement characters. */
export function textOfUtf8(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** The longest beginning of `text` that has at most `maxBytes` of UTF-8. */
export function cutToUtf8Bytes(text: string, maxBytes: number): string {
  return text.slice(0, encoder.encodeInto(text, new Uint8Array(maxBytes)).read);
}
