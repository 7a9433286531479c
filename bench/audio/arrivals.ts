/** Arrival traces for a jitter buffer: when each frame was captured and when, if ever, it arrives. By seed, or read from a file. */
import { readFileSync } from "node:fs";
import { seededRandom } from "../../test/sim/seeded-random.ts";

export interface Arrival {
  frame: number;
  captureMs: number;
  /** Undefined: lost. */
  arrivesMs: number | undefined;
}

export const TRACE_NAMES = ["clean", "wifi", "spikes", "drift", "bursts", "loss"] as const;
type TraceName = (typeof TRACE_NAMES)[number];

const FRAME_MS = 20;
const TRANSIT_MS = 40;
/** The source's samples come this much too slowly. */
const DRIFT = 100e-6;

/** Frames of 20 ms for so many seconds. */
export function makeTrace(name: TraceName, seconds: number, seed: number): Arrival[] {
  const random = seededRandom(seed);
  const trace: Arrival[] = [];
  let waitingMs = 0;
  let previousMs = 0;
  let stuckUntilMs = 0;
  for (let frame = 0; frame < (seconds * 1000) / FRAME_MS; frame++) {
    const captureMs = frame * FRAME_MS * (name === "drift" ? 1 + DRIFT : 1);
    let extraMs = random();
    if (name === "wifi") {
      // Contention comes and goes (first order), with retries now and then that hold up what is behind.
      waitingMs = Math.max(0, 0.9 * waitingMs + (random() - 0.4) * 6);
      extraMs += waitingMs + (random() < 0.02 ? 20 + 40 * random() : 0);
    } else if (name === "spikes") {
      extraMs += 3 * random() + (random() < 0.003 ? 100 + 150 * random() : 0);
    } else if (name === "bursts") {
      // A radio that sleeps and then gives everything at once.
      if (captureMs >= stuckUntilMs) stuckUntilMs = captureMs + 20 + 100 * random();
      extraMs += stuckUntilMs - captureMs;
    }
    // One queue: nothing overtakes.
    previousMs = Math.max(previousMs, captureMs + TRANSIT_MS + extraMs);
    const isLost = name === "loss" && random() < 0.03;
    trace.push({ frame, captureMs, arrivesMs: isLost ? undefined : previousMs });
  }
  return trace;
}

/**
 * Reads a recorded trace: a line a frame, `frame captureMs arrivalMs` with blanks or commas between; lines that begin
 * with # are comments; frames that are not there were lost.
 * @throws Error with the number of a line that is not like this
 */
export function readTrace(path: string): Arrival[] {
  const trace: Arrival[] = [];
  readFileSync(path, "utf8")
    .split("\n")
    .forEach((line, index) => {
      if (line.trim() === "" || line.startsWith("#")) return;
      const [frame, captureMs, arrivesMs] = line
        .trim()
        .split(/[\s,]+/)
        .map(Number);
      const isWhole = Number.isInteger(frame) && Number.isFinite(captureMs) && Number.isFinite(arrivesMs);
      if (!isWhole) throw new Error(`Line ${index + 1} of ${path} is not "frame captureMs arrivalMs".`);
      trace.push({ frame: frame!, captureMs: captureMs!, arrivesMs: arrivesMs! });
    });
  return trace;
}
