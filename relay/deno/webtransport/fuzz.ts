/**
 * Seeded fuzzing of everything that reads bytes from the network. An input may be refused with Http3Error only; what is
 * accepted must not depend on how the bytes were cut into chunks. No runtime globals: runs in Node and Deno.
 */
import { type CapsuleEvent, CapsuleReader, encodeCloseCapsule, encodeDrainCapsule } from "./capsules.ts";
import { connectRequestFields, parseRequest, parseResponse } from "./connect-headers.ts";
import {
  type ControlEvent,
  ControlStreamReader,
  encodeFrame,
  type RequestEvent,
  RequestStreamReader,
} from "./frames.ts";
import { FRAME_DATA, FRAME_GOAWAY, FRAME_HEADERS, FRAME_SETTINGS, Http3Error } from "./http3-codes.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import { decodeFieldSection, encodeFieldSection } from "./qpack.ts";
import { encodeSettings, ownSettings } from "./settings.ts";
import { StreamOpeningReader } from "./stream-opening.ts";
import { concatBytes, encodeVarints } from "./varint.ts";

/** How many inputs were accepted whole and how many refused; a sound run has plenty of both. */
export interface FuzzOutcome {
  readonly accepted: number;
  readonly refused: number;
}

type Chunks = readonly Uint8Array[];
/** Reads an input that comes in chunks and describes what it found; throws Http3Error to refuse it. */
type Target = (chunks: Chunks) => string;

const MAX_RANDOM_BYTES = 64;
const MAX_MUTATIONS = 4;
const INTERESTING_BYTES = [0x00, 0x01, 0x3f, 0x40, 0x7f, 0x80, 0xbf, 0xc0, 0xff] as const;

const joinStreamed = (events: readonly { kind: string; bytes?: Uint8Array }[]): string => {
  // DATA is handed over as it comes, so only the sum of its bytes is the same for every way of cutting.
  const data = concatBytes(...events.flatMap(({ bytes }) => (bytes === undefined ? [] : [bytes])));
  const others = events.filter(({ kind }) => kind !== "data");
  return JSON.stringify([others.map(plain), [...data]]);
};
const plain = (value: object): object =>
  Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      item instanceof Uint8Array || item instanceof Map ? [...item] : item,
    ]),
  );

const TARGETS: readonly Target[] = [
  (chunks) => {
    const reader = new RequestStreamReader(DEFAULT_LIMITS);
    const events: RequestEvent[] = [];
    for (const chunk of chunks) reader.push(chunk, (event) => events.push(event));
    reader.end();
    return joinStreamed(events);
  },
  (chunks) => {
    const reader = new ControlStreamReader(DEFAULT_LIMITS);
    const events: ControlEvent[] = [];
    for (const chunk of chunks) reader.push(chunk, (event) => events.push(event));
    return JSON.stringify(events.map(plain));
  },
  (chunks) => {
    const reader = new CapsuleReader(DEFAULT_LIMITS);
    const events: CapsuleEvent[] = [];
    for (const chunk of chunks) reader.push(chunk, (event) => events.push(event));
    reader.end();
    return JSON.stringify(events);
  },
  (chunks) => readOpening("bidirectional", chunks),
  (chunks) => readOpening("unidirectional", chunks),
  (chunks) => {
    const fields = decodeFieldSection(concatBytes(...chunks), DEFAULT_LIMITS);
    const again = decodeFieldSection(encodeFieldSection(fields), DEFAULT_LIMITS);
    if (JSON.stringify(again) !== JSON.stringify(fields)) throw new Error("QPACK does not round-trip.");
    const outcomes = [parseRequest, parseResponse].map((parse) => {
      try {
        return JSON.stringify(parse(fields));
      } catch (error) {
        if (error instanceof Http3Error) return error.message;
        throw error;
      }
    });
    return outcomes.join();
  },
];

function readOpening(direction: "bidirectional" | "unidirectional", chunks: Chunks): string {
  const reader = new StreamOpeningReader(direction);
  for (const [index, chunk] of chunks.entries()) {
    const opening = reader.push(chunk);
    if (opening === null) continue;
    const rest = concatBytes(opening.rest, ...chunks.slice(index + 1));
    return JSON.stringify({ ...opening, rest: [...rest] });
  }
  return "incomplete";
}

/** Well-formed inputs that mutations begin with, for each target in turn. */
function seeds(): readonly Uint8Array[] {
  const headers = new Map([["user-agent", "fuzz/1.0 (\u00e9)"]]);
  const request = {
    authority: "relay.example:4433",
    path: "/r?t=abc",
    origin: "https://app.example",
    headers,
  };
  const section = encodeFieldSection(connectRequestFields(request));
  const grease = encodeFrame(0x21 + 0x1f * 7, new Uint8Array(5));
  const close = encodeCloseCapsule(4000, "see you");
  const settings = encodeSettings(ownSettings(DEFAULT_LIMITS.maxHeaderBytes));
  return [
    concatBytes(grease, encodeFrame(FRAME_HEADERS, section), encodeFrame(FRAME_DATA, close)),
    concatBytes(encodeFrame(FRAME_SETTINGS, settings), grease, encodeFrame(FRAME_GOAWAY, encodeVarints(4))),
    concatBytes(grease, encodeDrainCapsule(), close),
    concatBytes(encodeVarints(0x41, 0), new Uint8Array([1, 2, 3])),
    concatBytes(encodeVarints(0x54, 1024), new Uint8Array([1, 2, 3])),
    section,
  ];
}

/** A small seeded generator (mulberry32): the same seed gives the same inputs everywhere. */
function randomSource(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

function mutate(seedBytes: Uint8Array, random: (below: number) => number): Uint8Array {
  const bytes = [...seedBytes];
  for (let left = random(MAX_MUTATIONS + 1); left > 0; left -= 1) {
    const at = random(bytes.length + 1);
    const byte =
      random(2) === 0 ? (INTERESTING_BYTES[random(INTERESTING_BYTES.length)] as number) : random(256);
    const kind = random(4);
    if (kind === 0) bytes[Math.min(at, Math.max(0, bytes.length - 1))] = byte;
    else if (kind === 1) bytes.splice(at, 0, byte);
    else if (kind === 2) bytes.splice(at, 1 + random(4));
    else bytes.splice(at);
  }
  return Uint8Array.from(bytes);
}

function cut(bytes: Uint8Array, random: (below: number) => number): Chunks {
  const chunks: Uint8Array[] = [];
  for (let offset = 0; offset < bytes.length; ) {
    const end = Math.min(bytes.length, offset + 1 + random(random(2) === 0 ? 2 : bytes.length));
    chunks.push(bytes.slice(offset, end));
    offset = end;
  }
  return chunks;
}

/** What a target makes of an input: its description, or the code it refused it with. */
function outcomeOf(target: Target, chunks: Chunks): { readonly text: string; readonly isAccepted: boolean } {
  try {
    return { text: target(chunks), isAccepted: true };
  } catch (error) {
    if (error instanceof Http3Error)
      return { text: `refused ${error.code}: ${error.message}`, isAccepted: false };
    throw error;
  }
}

/** Runs `count` inputs from `seed`. Throws, with seed, number and bytes of the input, at the first fault. */
export function fuzzWebTransport(seed: number, count: number): FuzzOutcome {
  const random = randomSource(seed);
  const seedInputs = seeds();
  let accepted = 0;
  for (let index = 0; index < count; index += 1) {
    const which = index % TARGETS.length;
    const target = TARGETS[which] as Target;
    const bytes =
      random(4) === 0
        ? Uint8Array.from({ length: random(MAX_RANDOM_BYTES) }, () => random(256))
        : mutate(seedInputs[which] as Uint8Array, random);
    try {
      const whole = outcomeOf(target, [bytes]);
      const pieces = outcomeOf(target, cut(bytes, random));
      if (whole.text !== pieces.text) throw new Error(`Whole: ${whole.text}. In pieces: ${pieces.text}.`);
      if (whole.isAccepted) accepted += 1;
    } catch (cause) {
      const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
      throw new Error(`Fuzz seed ${seed}, input ${index}, target ${which}, bytes ${hex}: ${String(cause)}`, {
        cause,
      });
    }
  }
  return { accepted, refused: count - accepted };
}
