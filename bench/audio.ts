/**
 * `npm run bench -- audio`: speech through lossy networks, from libopus encoder to ear. What share of the samples is
 * concealed, what delay the jitter buffer adds, how often it runs empty, and the segmental signal-to-noise ratio.
 *
 * Speech is synthesised (bench/audio/speech.ts). Each datagram carries copies of one to four earlier frames, as many and as far back as
 * a publisher would choose who knows the network; there is no retransmission in it. The ratio is against the clean decode of the
 * same Opus frames, in segments of 20 ms that are not silent, each held between -10 and 35 dB: it knows no psychoacoustics.
 */
import { redundancyDistances } from "../core/delivery/audio-redundancy.ts";
import { type EncodedSpeech, prepareSpeech, runVoiceCall } from "./audio/voice-call.ts";
import { readOptions, reportRow, type Target } from "./report.ts";

const options = readOptions({
  loss: { default: null, min: 0, max: 90, about: "one row with so many percent lost" },
  burst: { default: 0, min: 0, max: 1_000, about: "mean loss burst in milliseconds; 0 = random loss" },
  rtt: { default: 80, min: 0, max: 2_000, about: "round trip in milliseconds" },
  jitter: { default: 0, min: 0, max: 500, about: "delay added at random, milliseconds at most" },
  copies: {
    default: "auto",
    oneOf: ["auto", "none", "1", "1-2", "2-4", "1-3-5"],
    about: "distances of the copies",
  },
  seconds: { default: 300, min: 5, max: 3_600, about: "length of the speech" },
  seed: { default: 1, min: 0, max: 0xffffffff, whole: true, about: "speech and network" },
});

interface Road {
  loss: number;
  burst: number;
  rtt: number;
  jitter: number;
}

const random = (loss: number, rtt = 80): Road => ({ loss, burst: 0, rtt, jitter: 0 });
const bursty = (loss: number, burst: number, rtt = 80): Road => ({ loss, burst, rtt, jitter: 0 });
const TABLE: readonly Road[] = [
  random(0),
  { ...random(0), jitter: 20 },
  random(1),
  random(2),
  random(5),
  random(10),
  random(20),
  random(30),
  random(10, 20),
  random(10, 200),
  { ...random(10), jitter: 20 },
  bursty(5, 16),
  bursty(10, 16),
  bursty(10, 60),
  bursty(20, 60),
];

function targetOf({ loss, burst, rtt, jitter }: Road): Record<string, Target> | undefined {
  if (loss === 0 && jitter === 0) {
    return { concealedShare: "<= 0", underrunsPerMinute: "<= 0", addedDelayMeanMs: "<= 30" };
  }
  if (burst > 0 || rtt !== 80 || jitter > 0) return undefined;
  if (loss <= 10 && loss > 0) return { concealedShare: "<= 0.002" };
  return loss === 20 ? { concealedShare: "<= 0.01" } : undefined;
}

/** By default those that a publisher chooses who knows the network. */
function distancesFor({ loss, burst }: Road): readonly number[] {
  if (options.copies === "none") return [];
  if (options.copies !== "auto") return options.copies.split("-").map(Number);
  return redundancyDistances({ loss: loss / 100, burstMs: burst });
}

async function measure(road: Road, speech: EncodedSpeech): Promise<void> {
  const { seconds, seed } = options;
  const distances = distancesFor(road);
  const figures = await runVoiceCall(
    {
      seed,
      loss: road.loss / 100,
      burstMs: road.burst,
      rttMs: road.rtt,
      jitterMs: road.jitter,
      distances,
    },
    speech,
  );
  const row = { ...road, copies: distances.join("-") || "none", seconds, seed };
  const target = options.copies === "auto" ? targetOf(road) : undefined;
  reportRow({ bench: "audio", row, figures, ...(target === undefined ? {} : { target }) });
}

const speech = await prepareSpeech(options.seconds, options.seed);
if (options.loss !== null) {
  const { loss, burst, rtt, jitter } = options;
  await measure({ loss, burst, rtt, jitter }, speech);
} else {
  for (const road of TABLE) await measure(road, speech);
}
