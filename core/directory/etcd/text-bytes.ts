/**
 * Text as bytes and as base64 of its bytes, which is how etcd's JSON gateway carries keys and values. The four
 * functions are in every runtime of ours; core is compiled without their types.
 */
interface Decoder {
  decode(bytes?: Uint8Array, options?: { stream: boolean }): string;
}

interface TextRuntime {
  TextEncoder: new () => { encode(text: string): Uint8Array };
  TextDecoder: new (label: string, options: { fatal: boolean }) => Decoder;
  btoa(binary: string): string;
  atob(text: string): string;
}

const runtime = globalThis as unknown as TextRuntime;
const encoder = new runtime.TextEncoder();
/** Bytes that are put into one string at a time; more would be too many arguments for a call. */
const CHUNK_BYTES = 8_192;

/** A decoder that is given the bytes piece by piece; it throws TypeError when they are no UTF-8. */
export function newDecoder(): Decoder {
  return new runtime.TextDecoder("utf-8", { fatal: true });
}

export function base64OfText(text: string): string {
  const bytes = encoder.encode(text);
  let binary = "";
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
    binary += String.fromCharCode(...bytes.subarray(at, at + CHUNK_BYTES));
  }
  return runtime.btoa(binary);
}

/** Undefined when it is no base64 or the bytes are no UTF-8. */
export function textOfBase64(base64: string): string | undefined {
  try {
    return newDecoder().decode(Uint8Array.from(runtime.atob(base64), (character) => character.charCodeAt(0)));
  } catch {
    return undefined;
  }
}

/** The key that follows a key directly: the same bytes and a zero. They need not be text. */
export function base64KeyAfter(base64: string): string {
  return runtime.btoa(`${runtime.atob(base64)}\0`);
}
