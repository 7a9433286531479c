import { readdir, readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { CLOSE_CODES } from "./close-codes.ts";
import { clientMessageSchema, relayMessageSchema } from "./control-messages.ts";
import * as wire from "./datagram.ts";
import { readEchoProbe, writeEchoProbe } from "./echo-probe.ts";
import { frameMessage, MessageReader } from "./message-framing.ts";
import { readNack, writeNack } from "./nack.ts";
import {
  emptyReceiverReport,
  readReceiverReport,
  SECTION_NACK,
  SECTION_RECEIVER_REPORT,
  walkSections,
  writeReceiverReport,
} from "./receiver-report.ts";
import { readRedundantPayload, writeRedundantPayload } from "./redundancy.ts";
import {
  readTcpMessage,
  TCP_DATAGRAMS,
  type TcpMessage,
  TcpMessageError,
  writeTcpMessage,
} from "./tcp-messages.ts";
import { treeMessageSchema } from "./tree-messages.ts";
import control from "./vectors/control.json" with { type: "json" };
import datagrams from "./vectors/datagrams.json" with { type: "json" };
import feedback from "./vectors/feedback.json" with { type: "json" };
import redundancy from "./vectors/redundancy.json" with { type: "json" };
import tcp from "./vectors/tcp.json" with { type: "json" };

const bytesOf = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, "hex"));
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

describe("media datagrams", () => {
  it.each(datagrams.media)("reads and writes: $name", ({ hop, header, payload, datagram }) => {
    const bytes = bytesOf(datagram);
    expect(wire.datagramFault(bytes)).toBeUndefined();
    expect(wire.hopSequenceOf(bytes)).toBe(hop.hopSequence);
    expect(wire.hopSendTimeOf(bytes)).toBe(hop.sendTimeUs);
    const read = wire.emptyMediaHeader();
    wire.readMediaHeader(bytes, wire.HOP_HEADER_BYTES, read);
    expect(read).toEqual(header);
    expect(wire.trackIdOf(bytes)).toBe(header.trackId);
    expect(wire.mediaFlagsOf(bytes)).toBe(header.flags);
    expect(wire.mediaRenditionOf(bytes)).toBe(header.rendition);
    expect(wire.mediaTemporalLayerOf(bytes)).toBe(header.temporalLayer);
    expect(wire.mediaFrameIdOf(bytes)).toBe(header.frameId);
    expect(wire.mediaFragmentIndexOf(bytes)).toBe(header.fragmentIndex);
    expect(wire.mediaAudioLevelOf(bytes)).toBe(header.audioLevel);
    const written = new Uint8Array(bytes.length);
    wire.writeHopHeader(written, 0, wire.DATAGRAM_MEDIA, hop.hopSequence, hop.sendTimeUs);
    wire.writeMediaHeader(written, wire.HOP_HEADER_BYTES, header);
    written.set(bytesOf(payload), wire.HOP_HEADER_BYTES + wire.MEDIA_HEADER_BYTES);
    expect(hexOf(written)).toBe(datagram);
  });
});

describe("repair datagrams", () => {
  it.each(datagrams.repair)("reads and writes: $name", ({ hop, header, symbol, datagram }) => {
    const bytes = bytesOf(datagram);
    expect(wire.datagramFault(bytes)).toBeUndefined();
    expect(wire.readRepairHeader(bytes, wire.HOP_HEADER_BYTES)).toEqual(header);
    const written = new Uint8Array(bytes.length);
    wire.writeHopHeader(written, 0, wire.DATAGRAM_REPAIR, hop.hopSequence, hop.sendTimeUs);
    wire.writeRepairHeader(written, wire.HOP_HEADER_BYTES, header);
    written.set(bytesOf(symbol), wire.HOP_HEADER_BYTES + wire.REPAIR_HEADER_BYTES);
    expect(hexOf(written)).toBe(datagram);
  });
});

describe("probes of a diagnosis", () => {
  it.each(datagrams.echoes)("reads and writes: $name", ({ hop, echo, datagram }) => {
    const bytes = bytesOf(datagram);
    expect(wire.datagramFault(bytes)).toBeUndefined();
    expect(readEchoProbe(bytes)).toEqual(echo);
    const written = new Uint8Array(bytes.length);
    wire.writeHopHeader(written, 0, wire.DATAGRAM_PROBE, hop.hopSequence, hop.sendTimeUs);
    writeEchoProbe(written.subarray(wire.HOP_HEADER_BYTES), echo);
    expect(hexOf(written)).toBe(datagram);
  });

  it.each(datagrams.padding)("takes for padding: $name", ({ datagram }) => {
    expect(wire.datagramFault(bytesOf(datagram))).toBeUndefined();
    expect(readEchoProbe(bytesOf(datagram))).toBeUndefined();
  });
});

describe("faults", () => {
  it.each(datagrams.faults)("names it: $name", ({ datagram, fault }) => {
    expect(wire.datagramFault(bytesOf(datagram)) ?? null).toBe(fault);
  });

  it("refuses more than the largest datagram", () => {
    const bytes = new Uint8Array(1501);
    bytes[0] = wire.DATAGRAM_PROBE;
    expect(wire.datagramFault(bytes)).toBe("oversized");
  });
});

describe("feedback", () => {
  it.each(feedback.reports)("reads and writes a receiver report: $name", ({ report, datagram }) => {
    const bytes = bytesOf(datagram);
    const read = emptyReceiverReport();
    const types: number[] = [];
    const whole = walkSections(bytes, (type, offset, length) => {
      types.push(type);
      expect(readReceiverReport(bytes, offset, length, read)).toBe(true);
    });
    expect(whole).toBe(true);
    expect(types).toEqual([SECTION_RECEIVER_REPORT]);
    expect({ ...read, arrivals: [...read.arrivals.subarray(0, read.arrivalCount)] }).toEqual(report);
    const written = new Uint8Array(bytes.length);
    written.set(bytes.subarray(0, wire.HOP_HEADER_BYTES));
    writeReceiverReport(written, wire.HOP_HEADER_BYTES, read);
    expect(hexOf(written)).toBe(datagram);
  });

  it.each(feedback.nacks)("reads and writes a NACK: $name", ({ nack, datagram }) => {
    const bytes = bytesOf(datagram);
    let read: ReturnType<typeof readNack>;
    walkSections(bytes, (type, offset, length) => {
      expect(type).toBe(SECTION_NACK);
      read = readNack(bytes, offset, length);
    });
    expect({ ...read, held: hexOf(read!.held) }).toEqual(nack);
    const written = new Uint8Array(bytes.length);
    written.set(bytes.subarray(0, wire.HOP_HEADER_BYTES));
    writeNack(written, wire.HOP_HEADER_BYTES, read!);
    expect(hexOf(written)).toBe(datagram);
  });

  it("reads nothing from sections cut at any byte", () => {
    const whole = bytesOf(feedback.reports[0]!.datagram);
    for (let length = wire.HOP_HEADER_BYTES + 1; length < whole.length; length++) {
      expect(walkSections(whole.subarray(0, length), () => undefined)).toBe(false);
    }
  });
});

describe("audio redundancy", () => {
  it.each(redundancy)("reads and writes: $name", ({ primary, redundant, payload }) => {
    const read = readRedundantPayload(bytesOf(payload));
    expect(hexOf(read!.primary)).toBe(primary);
    expect(read!.redundant.map((frame) => ({ ...frame, bytes: hexOf(frame.bytes) }))).toEqual(redundant);
    expect(hexOf(writeRedundantPayload(read!))).toBe(payload);
  });

  it("refuses a copy that reaches past the end", () => {
    expect(readRedundantPayload(bytesOf("01" + "01" + "00c8" + "0003" + "aabb"))).toBeUndefined();
    expect(readRedundantPayload(bytesOf("07"))).toBeUndefined();
    expect(readRedundantPayload(new Uint8Array(0))).toBeUndefined();
  });
});

const SCHEMAS = { client: clientMessageSchema, relay: relayMessageSchema, tree: treeMessageSchema };

describe("control messages", () => {
  it("has a vector of every message between relays", () => {
    const types = control.filter(({ side }) => side === "tree").map(({ message }) => message.type);
    expect(types.sort()).toEqual(treeMessageSchema.options.map((option) => option.shape.type.value).sort());
  });

  it.each(control)("reads and writes $message.type of the $side", (vector) => {
    const framed = bytesOf(vector.framed);
    const schema = SCHEMAS[vector.side as keyof typeof SCHEMAS];
    const message: Record<string, unknown> = { ...vector.message };
    const field = "binaryField" in vector ? vector.binaryField : undefined;
    if (field !== undefined) message[field] = bytesOf(message[field] as string);
    const [read] = new MessageReader<typeof schema>(schema).push(framed);
    const plain: Record<string, unknown> = { ...read };
    if (field !== undefined) plain[field] = new Uint8Array(plain[field] as Uint8Array);
    expect(plain).toEqual(message);
    expect(hexOf(frameMessage(message))).toBe(vector.framed);
  });

  it("gives the same messages however the bytes are cut", () => {
    const client = control.filter((vector) => vector.side === "client");
    const all = bytesOf(client.map((vector) => vector.framed).join(""));
    for (const size of [1, 2, 3, 7, 64]) {
      const reader = new MessageReader(clientMessageSchema);
      const types: string[] = [];
      for (let at = 0; at < all.length; at += size) {
        for (const message of reader.push(all.subarray(at, at + size))) types.push(message.type);
      }
      expect(types).toEqual(client.map((vector) => vector.message.type));
    }
  });

  it("refuses what is too large, not MessagePack, or not in the schema, by name", () => {
    const fault = (hex: string): unknown => {
      try {
        return new MessageReader(clientMessageSchema).push(bytesOf(hex));
      } catch (error) {
        return (error as { closeReason: string }).closeReason;
      }
    };
    expect(fault("00010001")).toBe("message-too-large");
    expect(fault("00000001c1")).toBe("protocol-error");
    expect(fault("0000000180")).toBe("protocol-error");
    expect(fault("00000002de00")).toBe("protocol-error");
  });
});

describe("messages of a session over TCP", () => {
  const plain = (message: TcpMessage): object =>
    JSON.parse(JSON.stringify(message, (_, value) => (value instanceof Uint8Array ? hexOf(value) : value)));

  it.each(tcp.messages)("reads and writes: $name", ({ fields, message }) => {
    const read = readTcpMessage(bytesOf(message));
    expect(plain(read)).toEqual(fields);
    if (read.kind === TCP_DATAGRAMS) return;
    expect(hexOf(writeTcpMessage(read))).toBe(message);
  });

  it.each(tcp.malformed)("refuses: $name", ({ message }) => {
    expect(() => readTcpMessage(bytesOf(message))).toThrow(TcpMessageError);
  });
});

describe("docs/wire.md", () => {
  it("lists each close code under its number, and each vector file", async () => {
    const page = await readFile(new URL("../../docs/wire.md", import.meta.url), "utf8");
    for (const [name, code] of Object.entries(CLOSE_CODES))
      expect(page).toContain(`| ${code} | \`${name}\` |`);
    const files = await readdir(new URL("./vectors/", import.meta.url));
    for (const file of files) expect(page).toContain(`](../core/wire/vectors/${file})`);
  });
});
