/** Where a figure stops being good, and where a conversation stops being possible; one table, each with its reason. docs/doctor.md shows it. */

export interface Threshold {
  /** Above this (for rates: below) it is a warning. */
  warning: number;
  /** Beyond this a conversation is not possible. */
  failed: number;
}

export const THRESHOLDS = {
  /**
   * Share of datagrams lost. Up to 3 % all is repaired within the delay that a call has anyway; above it delay grows by a
   * round of repair and pictures stand still now and then. Beyond a third repair would be more than the media.
   */
  loss: { warning: 0.03, failed: 0.35 },
  /**
   * Median round trip to the relay. Two people with this one hear each other after it and about 150 ms for capture, jitter buffer and
   * playout: at 150 that is 300 ms, from which on people begin to talk at the same time (ITU-T G.107 and G.114: 150 good, 400 the
   * most that is planned for). Beyond 1.2 s taking turns does not work any more.
   */
  roundTripMs: { warning: 150, failed: 1_200 },
  /** How much later than most the slowest 5 % come: the jitter buffer, and with it the delay, grows by as much. 60 on top of the 300 of above stays below G.114's 400. */
  jitterMs: { warning: 60, failed: 800 },
  /**
   * Bits a second that come through. 1.2 Mb/s: a camera of 640x360 at 30 pictures a second (1 Mb/s), sound (40 kb/s with its copies up to 120), headers and reports.
   * 60 kb/s: sound alone with headers; below it not even that fits.
   */
  throughputBps: { warning: 1_200_000, failed: 60_000 },
  /** Until the gateway has answered: whoever joins waits for it. */
  gatewayMs: { warning: 2_000, failed: Number.POSITIVE_INFINITY },
  /** Until the session with the relay was open: from a second and a half on joining feels stuck. */
  connectMs: { warning: 1_500, failed: Number.POSITIVE_INFINITY },
} as const satisfies Record<string, Threshold>;

export type Grade = "ok" | "warning" | "failed";

/** For figures that are bad when large. */
export function gradeOf(value: number, { warning, failed }: Threshold): Grade {
  if (value > failed) return "failed";
  return value > warning ? "warning" : "ok";
}

/** For figures that are bad when small. */
export function gradeOfRate(value: number, { warning, failed }: Threshold): Grade {
  if (value < failed) return "failed";
  return value < warning ? "warning" : "ok";
}
