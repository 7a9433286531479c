/**
 * What every Session does, as named cases for any test runner: vitest, Deno.test, a page in a browser.
 * `for (const { name, run } of sessionContract) test(name, () => run(environment))`.
 */
import type { Clock } from "../clock.ts";
import { MAX_PENDING_DATAGRAMS } from "../wire/limits.ts";
import { type ByteStream, type Session, SessionClosedError } from "./session.ts";

export interface ContractEnvironment {
  /** A clock that runs by itself. */
  clock: Clock;
  /** Two ends of a fresh session that was opened with path "/contract?case=1". */
  connect(): Promise<{ dialled: Session; accepted: Session }>;
}

export interface ContractCase {
  name: string;
  run(environment: ContractEnvironment): Promise<void>;
}

const PATIENCE_MS = 5_000;

function check(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(`session contract: ${message}`);
}

async function within<T>(clock: Clock, what: string, promise: Promise<T>): Promise<T> {
  let late: { cancel(): void } | undefined;
  const timeout = new Promise<never>((_, reject) => {
    late = clock.after(PATIENCE_MS, () => reject(new Error(`session contract: no ${what} in time`)));
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    late?.cancel();
  }
}

function pause(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => void clock.after(delayMs, resolve));
}

function pattern(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + seed * 17 + (i >> 8)) & 0xff);
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

function withHeadroom(session: Session, datagram: Uint8Array): Uint8Array {
  const buffer = new Uint8Array(session.datagramHeadroom + datagram.length);
  buffer.set(datagram, session.datagramHeadroom);
  return buffer;
}

function nextStream(clock: Clock, session: Session): Promise<ByteStream> {
  return within(
    clock,
    "incoming stream",
    new Promise((resolve) => {
      session.onStream = resolve;
    }),
  );
}

async function readAll(clock: Clock, stream: ByteStream): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const chunk = await within(clock, "bytes of a stream", stream.read());
    if (chunk === undefined) break;
    check(chunk.length > 0, "read returned an empty chunk");
    chunks.push(chunk);
    length += chunk.length;
  }
  const all = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    all.set(chunk, offset);
    offset += chunk.length;
  }
  return all;
}

async function readExactly(clock: Clock, stream: ByteStream, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const chunk = await within(clock, "bytes of a stream", stream.read());
    check(chunk !== undefined, `the stream ended after ${filled} of ${length} bytes`);
    check(filled + chunk.length <= length, "more bytes came than were sent");
    bytes.set(chunk, filled);
    filled += chunk.length;
  }
  return bytes;
}

async function rejectsAsClosed(clock: Clock, what: string, promise: Promise<unknown>): Promise<void> {
  try {
    await within(clock, `end of ${what}`, promise);
  } catch (error) {
    check(error instanceof SessionClosedError, `${what} rejected with ${String(error)}`);
    return;
  }
  check(false, `${what} did not reject after the session was closed`);
}

/** Sends until one arrives: datagrams may be lost, even on loopback. Those of `earlier` exchanges may still come. */
async function exchange(
  clock: Clock,
  from: Session,
  to: Session,
  datagram: Uint8Array,
  earlier: readonly Uint8Array[] = [],
): Promise<Uint8Array> {
  const arrived = new Promise<Uint8Array>((resolve) => {
    to.onDatagram = (bytes) => {
      if (!earlier.some((sent) => equal(sent, bytes))) resolve(bytes.slice());
    };
  });
  let done = false;
  void arrived.then(() => {
    done = true;
  });
  const sending = (async () => {
    while (!done) {
      from.sendDatagram(withHeadroom(from, datagram));
      await pause(clock, 20);
    }
  })();
  const bytes = await within(clock, "datagram", arrived);
  await sending;
  return bytes;
}

type Ends = { dialled: Session; accepted: Session };

function contractCase(name: string, run: (ends: Ends, clock: Clock) => Promise<void>): ContractCase {
  return {
    name,
    run: async (environment) => {
      const ends = await environment.connect();
      try {
        await run(ends, environment.clock);
      } finally {
        ends.dialled.close(0, "");
        ends.accepted.close(0, "");
        await within(environment.clock, "end of the dialled session", ends.dialled.closed);
        await within(environment.clock, "end of the accepted session", ends.accepted.closed);
      }
    },
  };
}

export const sessionContract: readonly ContractCase[] = [
  contractCase("carries datagrams both ways, whole", async ({ dialled, accepted }, clock) => {
    for (const [from, to] of [
      [dialled, accepted],
      [accepted, dialled],
    ] as const) {
      const earlier: Uint8Array[] = [];
      for (const length of [1, 8, 999, 1000]) {
        const sent = pattern(length, length);
        const got = await exchange(clock, from, to, sent, earlier);
        earlier.push(sent);
        check(equal(got, sent), `a datagram of ${length} bytes came as ${got.length} others`);
      }
    }
  }),
  contractCase("says which path was asked for", async ({ accepted }) => {
    check(accepted.path === "/contract?case=1", `the path reads ${accepted.path}`);
  }),
  contractCase("takes datagrams of 1000 bytes and refuses and counts oversized ones", async (ends) => {
    for (const session of [ends.dialled, ends.accepted]) {
      check(session.maxDatagramBytes >= 1000, `only ${session.maxDatagramBytes} bytes fit a datagram`);
      const fault = session.sendDatagram(new Uint8Array(session.datagramHeadroom + 65_000));
      check(fault === "oversized", `an oversized datagram was answered ${fault}`);
      check(session.counters.dropped.oversized === 1, "the oversized datagram was not counted");
    }
  }),
  contractCase("lets a sent buffer be used again unless it says otherwise", async (ends, clock) => {
    const { dialled, accepted } = ends;
    if (dialled.keepsDatagramBuffer) return;
    const seen: number[] = [];
    accepted.onDatagram = (bytes) => {
      check(
        bytes.every((byte) => byte === bytes[0]),
        "two datagrams were mixed",
      );
      seen.push(bytes[0]!);
    };
    const buffer = new Uint8Array(dialled.datagramHeadroom + 600);
    for (let i = 1; i <= 50; i++) {
      buffer.fill(i);
      dialled.sendDatagram(buffer);
    }
    await pause(clock, 300);
    check(seen.length > 0, "no datagram arrived");
    check(new Set(seen).size === seen.length, "a datagram came with another one's bytes");
  }),
  contractCase("bounds what it queues, and counts what it refuses", async ({ dialled }, clock) => {
    await pause(clock, 20);
    const before = dialled.counters.datagramsSent;
    const attempts = 20_000;
    const datagram = pattern(900, 1);
    let refused = 0;
    for (let i = 0; i < attempts; i++) {
      const fault = dialled.sendDatagram(withHeadroom(dialled, datagram));
      if (fault === undefined) continue;
      check(fault === "queue-full", `a datagram in a burst was answered ${fault}`);
      refused++;
    }
    const taken = dialled.counters.datagramsSent - before;
    check(taken + refused === attempts, `${attempts} sent, ${taken} counted as taken, ${refused} refused`);
    check(dialled.counters.dropped["queue-full"] === refused, "refused datagrams were not counted");
    check(taken <= MAX_PENDING_DATAGRAMS * 2, `${taken} datagrams were queued at once`);
  }),
  contractCase("carries a stream of a megabyte whole and in order, both ways", async (ends, clock) => {
    for (const [from, to] of [
      [ends.dialled, ends.accepted],
      [ends.accepted, ends.dialled],
    ] as const) {
      const incoming = nextStream(clock, to);
      const stream = await within(clock, "opened stream", from.openStream());
      const sent = pattern(1_000_000, 3);
      const writing = (async () => {
        for (let offset = 0; offset < sent.length; offset += 50_000) {
          await stream.write(sent.subarray(offset, offset + 50_000));
        }
        await stream.finish();
      })();
      const got = await readAll(clock, await incoming);
      await within(clock, "end of writing", writing);
      check(equal(got, sent), `${got.length} bytes came of ${sent.length}, or others`);
    }
  }),
  contractCase("ends the two directions of a stream separately", async ({ dialled, accepted }, clock) => {
    const incoming = nextStream(clock, accepted);
    const near = await within(clock, "opened stream", dialled.openStream());
    await near.write(pattern(10, 1));
    await near.finish();
    const far = await incoming;
    check(equal(await readAll(clock, far), pattern(10, 1)), "the first direction is damaged");
    await far.write(pattern(20, 2));
    await far.finish();
    check(equal(await readAll(clock, near), pattern(20, 2)), "the second direction is damaged");
  }),
  contractCase("delivers streams that came before onStream was set", async ({ dialled, accepted }, clock) => {
    const near = await within(clock, "opened stream", dialled.openStream());
    await near.write(pattern(5, 5));
    await pause(clock, 100);
    const far = await nextStream(clock, accepted);
    check(equal(await readExactly(clock, far, 5), pattern(5, 5)), "the early bytes are damaged");
  }),
  contractCase("does not let an idle stream block another", async ({ dialled, accepted }, clock) => {
    const streams: ByteStream[] = [];
    accepted.onStream = (stream) => void streams.push(stream);
    const idle = await within(clock, "opened stream", dialled.openStream());
    const busy = await within(clock, "opened stream", dialled.openStream());
    await busy.write(pattern(7, 7));
    await busy.finish();
    for (let i = 0; i < 100 && streams.length < 1; i++) await pause(clock, 20);
    check(streams.length >= 1, "no stream arrived");
    const got = await within(
      clock,
      "bytes of the busy stream",
      Promise.any(streams.map(async (s) => (await readAll(clock, s)).length)),
    ).catch(async () => (await readAll(clock, streams[1]!)).length);
    check(got === 7, `the busy stream carried ${got} bytes`);
    await idle.finish();
  }),
  contractCase("tells both ends the code and reason of a close", async ({ dialled, accepted }, clock) => {
    accepted.close(33, "removed by an admin: ü");
    accepted.close(34, "a second close does nothing");
    const near = await within(clock, "close of the far end", dialled.closed);
    check(near.code === 33, `the code came as ${near.code}: ${near.reason}`);
    check(near.reason === "removed by an admin: ü", `the reason came as "${near.reason}"`);
    check(near.clean, "the close came as unclean");
    const own = await within(clock, "close of the closing end", accepted.closed);
    check(own.code === 33, `the closing end reads code ${own.code}`);
  }),
  contractCase(
    "cuts a long reason to 512 bytes of whole characters",
    async ({ dialled, accepted }, clock) => {
      dialled.close(10, `a${"ü".repeat(600)}`);
      const close = await within(clock, "close", accepted.closed);
      check(close.code === 10, `the code came as ${close.code}`);
      check(close.reason === `a${"ü".repeat(255)}`, `the reason came with ${close.reason.length} characters`);
    },
  ),
  contractCase("refuses everything after the end, and cuts waiting reads off", async (ends, clock) => {
    const { dialled, accepted } = ends;
    const incoming = nextStream(clock, accepted);
    const near = await within(clock, "opened stream", dialled.openStream());
    await near.write(pattern(3, 3));
    const far = await incoming;
    await readExactly(clock, far, 3);
    const waiting = rejectsAsClosed(clock, "a waiting read at the far end", far.read());
    const own = rejectsAsClosed(clock, "a waiting read at the closing end", near.read());
    dialled.close(0, "done");
    await own;
    await waiting;
    await rejectsAsClosed(clock, "openStream", dialled.openStream());
    await rejectsAsClosed(clock, "write", near.write(pattern(1, 1)));
    check(dialled.sendDatagram(withHeadroom(dialled, pattern(4, 4))) === "closed", "a datagram was taken");
    check(dialled.counters.dropped.closed === 1, "the datagram after the end was not counted");
  }),
  contractCase("counts datagrams and their bytes", async ({ dialled, accepted }, clock) => {
    await exchange(clock, dialled, accepted, pattern(100, 1));
    const { datagramsSent, datagramBytesSent } = dialled.counters;
    check(datagramsSent >= 1 && datagramBytesSent === datagramsSent * 100, "sent datagrams are miscounted");
    const { datagramsReceived, datagramBytesReceived } = accepted.counters;
    check(
      datagramsReceived >= 1 && datagramBytesReceived === datagramsReceived * 100,
      "received datagrams are miscounted",
    );
  }),
];
