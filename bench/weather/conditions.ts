/**
 * The roads of `bench -- weather`, and what is asked of Tributary on each: bounds on its own figures, and bounds on them
 * beside WebRTC's of the same run. Bounds hold for roads that are not in the table too.
 */
import type { ImpairmentOptions } from "../../test/udp-proxy/impairment.ts";
import type { Figures, Target } from "../report.ts";

export interface Conditions {
  /** Per cent of datagrams lost in each direction. */
  loss: number;
  rttMs: number;
  /** Mean length of a burst of losses, 0 = each by itself. */
  burstMs: number;
  jitterMs: number;
  /** Bottleneck in each direction, 0 = none. */
  rateKbps: number;
  queueMs: number;
  /** Nothing passes for this long in the middle of the measured time. */
  outageS: number;
}

export const CALM: Readonly<Conditions> = {
  loss: 0,
  rttMs: 80,
  burstMs: 0,
  jitterMs: 0,
  rateKbps: 0,
  queueMs: 400,
  outageS: 0,
};

/** The rows of a whole run: first random loss at one round trip, which the picture is drawn from. */
export const ROWS: readonly Conditions[] = [
  ...[0, 2, 5, 10, 20].map((loss) => ({ ...CALM, loss })),
  { ...CALM, rttMs: 40 },
  { ...CALM, rttMs: 200, loss: 10 },
  { ...CALM, loss: 10, burstMs: 60 },
  { ...CALM, rttMs: 40, rateKbps: 1_000 },
  { ...CALM, outageS: 3 },
];

/** Loss by chance and nothing else. */
export function isPlainLoss({ burstMs, jitterMs, rateKbps, outageS }: Conditions): boolean {
  return burstMs === 0 && jitterMs === 0 && rateKbps === 0 && outageS === 0;
}

export function impairmentOf(conditions: Conditions): Partial<ImpairmentOptions> {
  return {
    delayMs: conditions.rttMs / 2,
    jitterMs: conditions.jitterMs,
    loss: conditions.loss / 100,
    burstMs: conditions.burstMs,
    rateBps: conditions.rateKbps * 1_000,
    queueMs: conditions.queueMs,
  };
}

/** Concealed share that is allowed at a round trip of 80 ms: [loss in per cent, share], straight between. */
const CONCEALED: readonly [number, number][] = [
  [5, 0.001],
  [10, 0.003],
  [20, 0.012],
];
const LONGEST_RTT_OF_CONCEALED_MS = 80;
const FULL_WIDTH = 640;
const FULL_WIDTH_UP_TO_LOSS = 10;

/** Sound early or late against its picture, ms, while both play. */
export const AV_BOUNDS_MS = { early: 45, late: 85 };

function concealedBound(loss: number): number | undefined {
  let [lossBelow, below] = CONCEALED[0]!;
  if (loss <= lossBelow) return below;
  for (const [lossAbove, above] of CONCEALED) {
    if (loss <= lossAbove)
      return below + ((above - below) * (loss - lossBelow)) / Math.max(1e-9, lossAbove - lossBelow);
    [lossBelow, below] = [lossAbove, above];
  }
  return undefined;
}

/** What Tributary's own figures must keep to. */
export function ownTarget(conditions: Conditions): Record<string, Target> {
  const { loss, rttMs, rateKbps, outageS, burstMs } = conditions;
  if (outageS > 0) return { recoveredMs: "<= 2000" };
  const target: Record<string, Target> = {
    avOffsetP95Ms: `<= ${AV_BOUNDS_MS.early}`,
    avOffsetP5Ms: `>= ${-AV_BOUNDS_MS.late}`,
  };
  const concealed = concealedBound(loss);
  if (burstMs === 0 && rttMs <= LONGEST_RTT_OF_CONCEALED_MS && concealed !== undefined)
    target.concealedShare = `<= ${Number(concealed.toPrecision(3))}`;
  if (rateKbps > 0) target.queueP95Ms = "<= 150";
  else if (loss <= FULL_WIDTH_UP_TO_LOSS) target.pictureWidth = `>= ${FULL_WIDTH}`;
  return target;
}

/** What Tributary's figures must keep to beside WebRTC's (names as in `compare`). */
export function ratioTarget(conditions: Conditions): Record<string, Target> {
  const { loss, burstMs } = conditions;
  const clean = loss === 0 && isPlainLoss(conditions);
  const target: Record<string, Target> = {
    audioBufferOverMs: clean ? "<= 0" : "<= 30",
    videoBufferOverMs: clean ? "<= 0" : "<= 40",
  };
  if (loss > 0 && burstMs > 0) return { frozenMsPerMinute: "<= 0.5", concealedShare: "<= 0.5", ...target };
  if (loss >= 5) return { frozenMsPerMinute: "<= 0.2", ...target };
  return target;
}

/** Smaller is better in all of these but the last, which is neither. */
const RATIOS = [
  "frozenMsPerMinute",
  "concealedShare",
  "silentShare",
  "audioDelayP50Ms",
  "audioDelayP95Ms",
  "videoDelayP50Ms",
  "videoDelayP95Ms",
  "receivedKbps",
];
const DIFFERENCES = { audioBufferMs: "audioBufferOverMs", videoBufferMs: "videoBufferOverMs" };

/** Ours by theirs; none of ours is 0 of whatever they have, and something beside nothing has no ratio (null). */
export function compare(ours: Figures, theirs: Figures): Figures {
  const found: Figures = {};
  for (const name of RATIOS) {
    const mine = ours[name] ?? null;
    const other = theirs[name] ?? null;
    if (mine === null || other === null) found[name] = null;
    else found[name] = mine === 0 ? 0 : other > 0 ? mine / other : null;
  }
  for (const [name, over] of Object.entries(DIFFERENCES)) {
    const mine = ours[name] ?? null;
    const other = theirs[name] ?? null;
    found[over] = mine === null || other === null ? null : mine - other;
  }
  return found;
}
