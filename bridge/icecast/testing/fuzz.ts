/**
 * Hostile bytes into everything that reads Icecast: request heads, credentials and formats of those that parse, chunked bodies. Seeded. What is
 * refused must be an IcecastError; what is accepted must not depend on how the bytes were cut, and must be no more than came.
 */
import { hostileBytes } from "../../../test/fuzz/mutation.ts";
import { seededRandom } from "../../../test/sim/seeded-random.ts";
import { BodyDecoder, bodyDecoder } from "../body-decoder.ts";
import { streamKeyOf } from "../credentials.ts";
import { IcecastError } from "../icecast-error.ts";
import { MAX_HEAD_BYTES, MAX_HEADERS } from "../limits.ts";
import { endOfHead, parseHead } from "../request-head.ts";
import { sourceFormat } from "../source-format.ts";

/** A sound run has plenty of both. */
export interface FuzzOutcome {
  accepted: number;
  refused: number;
}

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Requests of real programs; also what whole connections are made from. */
export const HEADS: readonly Uint8Array[] = [
  "SOURCE /live ICE/1.0\r\nAuthorization: Basic c291cmNlOmtleQ==\r\ncontent-type: audio/mpeg\r\nice-name: Radio\r\nice-public: 0\r\n\r\n",
  "PUT /radio HTTP/1.1\r\nHost: a:8000\r\nAuthorization: Basic c291cmNlOmtleQ==\r\nExpect: 100-continue\r\nContent-Type: application/ogg\r\nTransfer-Encoding: chunked\r\n\r\n",
  "PUT /radio.aac HTTP/1.1\r\nUser-Agent: Lavf/59.27.100\r\nConnection: close\r\nContent-Type: audio/aac\r\nIce-Public: 0\r\nAuthorization: Basic c291cmNlOmtleQ==\r\nContent-Length: 1000\r\n\r\n",
  "GET /admin/metadata?mode=updinfo&mount=%2Fradio&song=Caf%C3%A9+-+%E9t%E9&charset=UTF-8 HTTP/1.0\r\nAuthorization: Basic c291cmNlOmtleQ==\r\n\r\n",
].map(utf8);

const BODIES: readonly Uint8Array[] = [
  "5\r\nhello\r\n6;name=value\r\n world\r\n0\r\n\r\n",
  "10\n0123456789abcdef\n1\r\nx\r\nffff\r\n",
  `${"1\r\na\r\n".repeat(20)}0\r\nTrailer: x\r\n\r\n`,
].map(utf8);

function run(
  seed: number,
  count: number,
  samples: readonly Uint8Array[],
  attempt: (input: Uint8Array) => void,
): FuzzOutcome {
  const random = seededRandom(seed);
  const outcome = { accepted: 0, refused: 0 };
  for (let i = 0; i < count; i++) {
    const input = hostileBytes(random, samples);
    try {
      attempt(input);
      outcome.accepted++;
    } catch (error) {
      if (!(error instanceof IcecastError)) throw new Error(`seed ${seed}, input ${i}`, { cause: error });
      outcome.refused++;
    }
  }
  return outcome;
}

function must(condition: boolean, what: string): void {
  if (!condition) throw new Error(what);
}

export function fuzzHeads(seed: number, count: number): FuzzOutcome {
  return run(seed, count, HEADS, (input) => {
    const end = endOfHead(input);
    must(
      end === -1 || (end > 1 && end <= input.length && input[end - 1] === 10),
      "the head ends within the bytes",
    );
    const half = endOfHead(input.subarray(0, input.length >> 1));
    must(half === -1 || half === end, "where the head ends does not depend on what follows");
    must(half >= 0 || endOfHead(input, input.length >> 1) === end, "nor on where one begins to look");
    const head = parseHead(end < 0 ? input : input.subarray(0, end));
    must(head.headers.size <= MAX_HEADERS && input.length <= MAX_HEAD_BYTES, "the head is bounded");
    must(head.path.startsWith("/"), "a path begins with a slash");
    for (const value of head.headers.values()) must(!/\p{Cc}/u.test(value), "no control characters");
    sourceFormat(head.headers.get("content-type"));
    bodyDecoder(head);
    if (head.headers.has("authorization"))
      must(streamKeyOf(head).length < input.length, "the key is part of it");
  });
}

export function fuzzChunks(seed: number, count: number): FuzzOutcome {
  const random = seededRandom(seed + 1);
  return run(seed, count, BODIES, (input) => {
    const whole = sound(input, input.length + 1);
    must(whole.length <= input.length, "no more sound than bytes");
    const cut = sound(input, 1 + Math.floor(random() * 7));
    must(whole.length === cut.length && whole.every((byte, i) => byte === cut[i]), "cuts make no difference");
  });
}

function sound(input: Uint8Array, step: number): number[] {
  const body = new BodyDecoder("chunked");
  const bytes: number[] = [];
  for (let at = 0; at < input.length; at += step) {
    for (const part of body.push(input.subarray(at, at + step))) bytes.push(...part);
  }
  return bytes;
}
