/**
 * `npm run bench -- jitter`: the audio jitter buffer on arrival traces, offline, with real Opus. How often it conceals,
 * hurries and slows speech, what delay it adds, and how often it runs empty.
 *
 * Added delay is what the sound waits behind the fastest possible arrival. Rates are shares of the samples played:
 * concealed (expand), accelerated (taken out), expanded (put in ahead of need: pre-emptive).
 */
import { type Arrival, makeTrace, readTrace, TRACE_NAMES } from "./audio/arrivals.ts";
import { audioUnit, Listener } from "./audio/listener.ts";
import { decodeClean, encodeSpeech, openDecoder } from "./audio/opus-codec.ts";
import { synthesiseSpeech } from "./audio/speech.ts";
import { readOptions, reportRow, type Target } from "./report.ts";

const options = readOptions({
  seconds: { default: 60, min: 5, max: 3_600, about: "length of each made trace" },
  seed: { default: 1, min: 0, max: 0xffffffff, whole: true, about: "speech and traces" },
  trace: { default: "all", oneOf: ["all", ...TRACE_NAMES], about: "which trace is made" },
});

/** A trace that somebody recorded; `frame captureMs arrivalMs` a line. */
const recorded = process.env.TRIBUTARY_TRACE;

const CALM: Record<string, Target> = {
  underrunsPerMinute: "<= 0",
  concealedShare: "<= 0",
  addedDelayMeanMs: "<= 30",
};
const TARGETS: Partial<Record<string, Record<string, Target>>> = {
  clean: CALM,
  drift: CALM,
  wifi: { concealedShare: "<= 0.02" },
  spikes: { concealedShare: "<= 0.02" },
  bursts: { concealedShare: "<= 0.02" },
};

async function replay(name: string, trace: readonly Arrival[], seconds: number): Promise<void> {
  const frames = await encodeSpeech(synthesiseSpeech(seconds, options.seed));
  const clean = await decodeClean(frames);
  const decoder = await openDecoder();
  const listener = new Listener(decoder, name === "drift" ? undefined : clean);
  const deliveries = trace
    .filter(({ arrivesMs, frame }) => arrivesMs !== undefined && frame < frames.length)
    .map(({ frame, captureMs, arrivesMs }) => ({
      atUs: arrivesMs! * 1000,
      unit: audioUnit(frame, Math.round(captureMs * 1000), frames[frame]!),
    }))
    .sort((a, b) => a.atUs - b.atUs);
  listener.listen(deliveries, seconds * 1e6);
  decoder.free();
  const row = { trace: name, seconds, seed: options.seed };
  const target = TARGETS[name];
  reportRow({
    bench: "jitter",
    row,
    figures: listener.figures(),
    ...(target === undefined ? {} : { target }),
  });
}

if (recorded !== undefined) {
  const trace = readTrace(recorded);
  await replay("recorded", trace, Math.ceil((trace.at(-1)?.captureMs ?? 0) / 1000) + 1);
} else {
  for (const name of TRACE_NAMES) {
    if (options.trace !== "all" && options.trace !== name) continue;
    await replay(name, makeTrace(name, options.seconds, options.seed), options.seconds);
  }
}
