/** Frames, capsules and stream openings against the vectors, in one piece and byte by byte. */
import { describe, expect, test } from "vitest";
import { type CapsuleEvent, CapsuleReader, encodeCloseCapsule, encodeDrainCapsule } from "./capsules.ts";
import { type ControlEvent, ControlStreamReader, encodeFrame, RequestStreamReader } from "./frames.ts";
import { H3_EXCESSIVE_LOAD, H3_ID_ERROR, Http3Error } from "./http3-codes.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import { decodeSettings, encodeSettings, ownSettings, speaksWebTransport } from "./settings.ts";
import { StreamOpeningReader } from "./stream-opening.ts";
import { fromHex, toHex } from "./testing/hex.ts";
import vectors from "./vectors/streams.json" with { type: "json" };

/** The same bytes as one chunk and as single bytes. */
function waysToCut(bytes: Uint8Array): Uint8Array[][] {
  return [[bytes], Array.from(bytes, (byte) => Uint8Array.of(byte))];
}

function codeOf(action: () => unknown): number | undefined {
  try {
    action();
  } catch (error) {
    if (error instanceof Http3Error) return error.code;
    throw error;
  }
  return undefined;
}

function readControl(chunks: Uint8Array[]): ControlEvent[] {
  const reader = new ControlStreamReader(DEFAULT_LIMITS);
  const events: ControlEvent[] = [];
  for (const chunk of chunks) reader.push(chunk, (event) => events.push(event));
  return events;
}

function readCapsules(chunks: Uint8Array[]): CapsuleEvent[] {
  const reader = new CapsuleReader(DEFAULT_LIMITS);
  const events: CapsuleEvent[] = [];
  for (const chunk of chunks) reader.push(chunk, (event) => events.push(event));
  reader.end();
  return events;
}

describe("the control stream", () => {
  test.each(vectors.control)("$name", ({ bytes, settings }) => {
    for (const chunks of waysToCut(fromHex(bytes))) {
      const [first, ...others] = readControl(chunks);
      if (first?.kind !== "settings") throw new Error("No settings came.");
      expect(Object.fromEntries(first.settings)).toMatchObject(settings);
      expect(others).toEqual([]);
    }
  });

  test.each(vectors.controlRefused)("refuses: $why", ({ bytes, code }) => {
    for (const chunks of waysToCut(fromHex(bytes))) expect(codeOf(() => readControl(chunks))).toBe(code);
  });

  test("what stands before a fault is handed over", () => {
    const events: ControlEvent[] = [];
    const reader = new ControlStreamReader(DEFAULT_LIMITS);
    expect(codeOf(() => reader.push(fromHex("04000701040400"), (event) => events.push(event)))).toBe(0x105);
    expect(events.map(({ kind }) => kind)).toEqual(["settings", "goaway"]);
  });

  test("many small unknown frames are too much in the end", () => {
    const reader = new ControlStreamReader({ ...DEFAULT_LIMITS, maxSkippedStreamBytes: 1000 });
    reader.push(fromHex("0400"), () => undefined);
    const grease = encodeFrame(0x21, new Uint8Array(300));
    for (let count = 0; count < 3; count += 1) reader.push(grease, () => undefined);
    expect(codeOf(() => reader.push(grease, () => undefined))).toBe(H3_EXCESSIVE_LOAD);
  });

  test("our own settings speak WebTransport", () => {
    const settings = decodeSettings(encodeSettings(ownSettings(4096)));
    expect(settings).toEqual(ownSettings(4096));
    expect(speaksWebTransport(settings)).toBe(true);
    expect(speaksWebTransport(new Map([[0x33, 1]]))).toBe(false);
  });
});

describe("a request stream", () => {
  test.each(vectors.requestRefused)("refuses: $why", ({ bytes, code }) => {
    for (const chunks of waysToCut(fromHex(bytes))) {
      const reader = new RequestStreamReader(DEFAULT_LIMITS);
      const read = (): void => {
        for (const chunk of chunks) reader.push(chunk, () => undefined);
        reader.end();
      };
      expect(codeOf(read)).toBe(code);
    }
  });

  test("a long DATA frame is handed over as it comes, not collected", () => {
    const reader = new RequestStreamReader(DEFAULT_LIMITS);
    const sizes: number[] = [];
    // HEADERS of no bytes, then the beginning of a DATA frame of 2^30 - 1 bytes.
    for (const chunk of [fromHex("010000bfffffff"), new Uint8Array(500), new Uint8Array(700)]) {
      reader.push(chunk, (event) => {
        if (event.kind === "data") sizes.push(event.bytes.length);
      });
    }
    expect(sizes).toEqual([500, 700]);
  });
});

describe("the opening of a stream", () => {
  test.each(vectors.openings)("$direction $bytes", ({ direction, bytes, rest, ...expected }) => {
    for (const chunks of waysToCut(fromHex(bytes))) {
      const reader = new StreamOpeningReader(direction as "bidirectional" | "unidirectional");
      let index = 0;
      let opening = null;
      while (opening === null && index < chunks.length) opening = reader.push(chunks[index++] as Uint8Array);
      if (opening === null) throw new Error("The opening is not complete.");
      expect(opening).toMatchObject(expected);
      const behind = [opening.rest, ...chunks.slice(index)].map(toHex).join("");
      expect(behind).toBe(rest);
    }
  });

  test("a session id that is no client's bidirectional stream is refused", () => {
    expect(codeOf(() => new StreamOpeningReader("bidirectional").push(fromHex("404101")))).toBe(H3_ID_ERROR);
  });
});

describe("capsules", () => {
  test.each(vectors.capsules)("$name", ({ bytes, events }) => {
    for (const chunks of waysToCut(fromHex(bytes))) expect(readCapsules(chunks)).toEqual(events);
  });

  test.each(vectors.capsulesRefused)("refuse: $why", ({ bytes, code }) => {
    for (const chunks of waysToCut(fromHex(bytes))) expect(codeOf(() => readCapsules(chunks))).toBe(code);
  });

  test("a long reason is cut at a character", () => {
    const [close] = readCapsules([encodeCloseCapsule(1, `${"a".repeat(1023)}é`)]);
    expect(close).toEqual({ kind: "close", code: 1, reason: "a".repeat(1023) });
  });

  test("ours come back", () => {
    const capsules = [encodeDrainCapsule(), encodeCloseCapsule(4_000_000_000, "grüße")];
    expect(readCapsules(capsules)).toEqual([
      { kind: "drain" },
      { kind: "close", code: 4_000_000_000, reason: "grüße" },
    ]);
  });

  test.each([-1, 2 ** 32, 1.5])("%s is no close code", (code) => {
    expect(() => encodeCloseCapsule(code, "")).toThrow(RangeError);
  });
});
