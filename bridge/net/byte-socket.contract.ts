/**
 * What every ByteSocket does, as named cases for any test runner.
 * `for (const { name, run } of byteSocketContract) test(name, () => run(environment))`.
 */
import type { Clock } from "../../core/clock.ts";
import { type ByteSocket, SocketError } from "./byte-socket.ts";

export interface SocketPair {
  dialled: ByteSocket;
  accepted: ByteSocket;
}

export interface SocketEnvironment {
  /** A clock that runs by itself. */
  clock: Clock;
  /** Two ends of a fresh connection. */
  connect(): Promise<SocketPair>;
}

export interface SocketCase {
  name: string;
  run(environment: SocketEnvironment): Promise<void>;
}

const PATIENCE_MS = 10_000;
const BLOCK = new Uint8Array(64 * 1024).map((_, at) => (at * 31 + (at >> 8)) & 0xff);
/** 32 MiB: more than any buffer on the way holds. */
const BLOCKS = 512;

function check(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(`byte socket contract: ${message}`);
}

async function within<T>(clock: Clock, what: string, promise: Promise<T>): Promise<T> {
  let late: { cancel(): void } | undefined;
  const timeout = new Promise<never>((_, reject) => {
    late = clock.after(PATIENCE_MS, () => reject(new Error(`byte socket contract: no ${what} in time`)));
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

/** The SocketError that `promise` rejects with; anything else is a fault. */
async function socketError(promise: Promise<unknown>, what: string): Promise<SocketError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  check(error instanceof SocketError, `${what} did not reject with SocketError but ${String(error)}`);
  return error;
}

async function readExactly(socket: ByteSocket, length: number): Promise<Uint8Array> {
  const all = new Uint8Array(length);
  for (let at = 0; at < length; ) {
    const chunk = await socket.read();
    check(chunk !== undefined && chunk.length <= length - at, "other bytes than were sent");
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}

/** Reads to the end and sees that blocks came whole and in order; resolves to how many bytes there were. */
async function readBlocks(socket: ByteSocket): Promise<number> {
  let bytes = 0;
  for (;;) {
    const chunk = await socket.read();
    if (chunk === undefined) return bytes;
    for (let i = 0; i < chunk.length; i += 997) {
      check(chunk[i] === BLOCK[(bytes + i) % BLOCK.length], `byte ${bytes + i} is another`);
    }
    bytes += chunk.length;
  }
}

async function bothWays({ clock, connect }: SocketEnvironment): Promise<void> {
  const { dialled, accepted } = await connect();
  await dialled.write(Uint8Array.of(1, 2, 3));
  const there = await within(clock, "bytes", readExactly(accepted, 3));
  check(there.join() === "1,2,3", "other bytes arrived");
  dialled.finish();
  check((await within(clock, "end", accepted.read())) === undefined, "no end but bytes");
  await accepted.write(Uint8Array.of(4));
  accepted.finish();
  check((await within(clock, "answer", readExactly(dialled, 1)))[0] === 4, "another answer");
  check((await within(clock, "end", dialled.read())) === undefined, "no end of the answer but bytes");
  await socketError(dialled.write(Uint8Array.of(5)), "a write after finish");
  dialled.destroy();
  accepted.destroy();
}

async function waitsForReader(from: ByteSocket, to: ByteSocket, clock: Clock): Promise<void> {
  let written = 0;
  const all = (async () => {
    for (; written < BLOCKS; written++) await from.write(BLOCK);
    from.finish();
  })();
  await pause(clock, 150);
  check(written < BLOCKS / 2, `${written} of ${BLOCKS} blocks were taken that nobody reads`);
  check(from.queuedBytes > 0, "nothing is said to wait");
  const bytes = await within(clock, "blocks", readBlocks(to));
  await all;
  check(bytes === BLOCKS * BLOCK.length, `${bytes} bytes arrived`);
}

async function backPressure({ clock, connect }: SocketEnvironment): Promise<void> {
  const { dialled, accepted } = await connect();
  await waitsForReader(dialled, accepted, clock);
  await waitsForReader(accepted, dialled, clock);
  dialled.destroy();
  accepted.destroy();
}

async function cutOff(environment: SocketEnvironment, side: keyof SocketPair): Promise<void> {
  const { clock, connect } = environment;
  const pair = await connect();
  const [cutting, other] = side === "dialled" ? [pair.dialled, pair.accepted] : [pair.accepted, pair.dialled];
  const reading = cutting.read();
  cutting.destroy();
  cutting.destroy();
  await within(clock, "rejection", socketError(reading, "a read that was cut off"));
  await within(clock, "rejection", socketError(cutting.write(BLOCK), "a write that was cut off"));
  const seen = await within(
    clock,
    "notice of the cut",
    other.read().catch((error: unknown) => error),
  );
  check(seen === undefined || seen instanceof SocketError, `the other side saw ${String(seen)}`);
  const writing = (async () => {
    for (let i = 0; i < BLOCKS; i++) await other.write(BLOCK);
  })();
  await within(clock, "rejection of writes", socketError(writing, "writing to who has gone"));
  other.destroy();
}

export const byteSocketContract: readonly SocketCase[] = [
  { name: "carries bytes both ways; each direction ends by itself", run: bothWays },
  { name: "a write waits for a reader, either way, and nothing is lost", run: backPressure },
  { name: "destroy by who dialled reaches reads and writes on both sides", run: (e) => cutOff(e, "dialled") },
  {
    name: "destroy by who accepted reaches reads and writes on both sides",
    run: (e) => cutOff(e, "accepted"),
  },
];
