/**
 * What every call must keep to, whatever browsers, relays and networks are in it: both see and hear what the other's camera and
 * microphone were given, in step. Delays are printed. Bounds are those that a busy machine keeps too.
 */
import { expect, it } from "vitest";
import type { DrivenPage } from "./driven-page.ts";
import { judgeTone, type RoomPage, untilGood } from "./room-page.ts";

const RATE_SPAN_MS = 3_000;
/** Pictures a second. */
const LEAST_RATE = 5;
const MOST_RATE = 36;
/** A page that is held up shows the same picture for a while. */
const LEAST_LOOKS = 5;
const MOST_LOOKS = 40;
const LEAST_SEEN_SHARE = 0.75;

export interface CallPair {
  ann: RoomPage<DrivenPage>;
  bob: RoomPage<DrivenPage>;
}

export const report = (what: string, value: number, unit: string): void =>
  console.info(`  ${what}: ${value.toFixed(1)} ${unit}`);

/** Adds the tests of a call; `pair` is asked once they run. Both must be seen by `seeCamera` before. */
export function checkCall(pair: () => CallPair): void {
  /** Who looks and listens, and at whom. */
  const directions = () => {
    const { ann, bob } = pair();
    return [
      { viewer: bob, of: ann },
      { viewer: ann, of: bob },
    ];
  };

  it("see each other at the camera's rate", async () => {
    const rates = await untilGood(
      () => Promise.all(directions().map(({ viewer, of }) => seenAndEncoded(viewer, of))),
      (both) => both.every(isSmooth),
    );
    for (const [i, { viewer }] of directions().entries()) {
      report(`${viewer.identity} sees`, rates[i]?.seen ?? Number.NaN, "pictures a second");
    }
    // A machine that is busy captures less; what it captures must be seen.
    for (const rate of rates) expect(isSmooth(rate), JSON.stringify(rate)).toBe(true);
  });

  it("see the picture that went in", async () => {
    for (const { viewer, of } of directions()) {
      const verdicts = [];
      const frames = new Set<number>();
      for (let i = 0; i < MOST_LOOKS && (i < LEAST_LOOKS || frames.size <= 2); i++) {
        const seen = await viewer.firstPicture(of.identity);
        verdicts.push(seen);
        frames.add(seen.frame);
        await viewer.page.waitForTimeout(200);
      }
      report(`worst picture of ${of.identity}`, Math.min(...verdicts.map((one) => one.psnrDb)), "dB PSNR");
      for (const { psnrDb, colourError } of verdicts) {
        expect(psnrDb).toBeGreaterThan(28);
        expect(colourError).toBeLessThan(40);
      }
      expect(frames.size).toBeGreaterThan(2);
    }
  });

  it("hear the tone that went in", async () => {
    for (const { viewer, of } of directions()) {
      const { loudShare, toneShare } = await untilGood(
        async () => judgeTone(await viewer.listen(3000)),
        (tone) => tone.toneShare > 0.9 && tone.loudShare > 0.35 && tone.loudShare < 0.9,
      );
      report(`${of.identity} heard as the tone`, toneShare * 100, "% of what was loud");
      expect(toneShare).toBeGreaterThan(0.9);
      // Beats of 250 ms with pauses of 250 ms, and windows that reach over edges.
      expect(loudShare).toBeGreaterThan(0.35);
      expect(loudShare).toBeLessThan(0.9);
    }
  });

  it("hear in step with what they see", async () => {
    for (const { viewer, of } of directions()) {
      const offsetMs = await untilGood(
        async () => {
          await viewer.page.waitForTimeout(1000);
          return (await viewer.inbound(of.identity, "video")).avOffsetMs ?? Number.NaN;
        },
        (ms) => Math.abs(ms) <= 45,
      );
      const picture = await viewer.inbound(of.identity, "video");
      const sound = await viewer.inbound(of.identity, "audio");
      report(`sound of ${of.identity} before picture`, offsetMs, "ms");
      report(`picture of ${of.identity} after capture`, picture.captureToRenderMs ?? Number.NaN, "ms");
      report(`sound of ${of.identity} after capture`, sound.captureToRenderMs ?? Number.NaN, "ms");
      expect(Math.abs(offsetMs)).toBeLessThanOrEqual(45);
    }
  });
}

interface Rates {
  /** Pictures a second. */
  seen: number;
  encoded: number;
}

async function seenAndEncoded(viewer: RoomPage<DrivenPage>, of: RoomPage<DrivenPage>): Promise<Rates> {
  const encoded = async (): Promise<number> => {
    const { tracks } = await of.stats();
    const camera = tracks.find((track) => track.direction === "outbound" && track.source === "camera");
    return camera?.framesEncoded ?? 0;
  };
  const [before, startMs] = [await encoded(), performance.now()];
  const seen = await viewer.renderedRate(of.identity, RATE_SPAN_MS);
  return { seen, encoded: (((await encoded()) - before) * 1000) / (performance.now() - startMs) };
}

function isSmooth({ seen, encoded }: Rates): boolean {
  return seen > LEAST_RATE && seen < MOST_RATE && seen > LEAST_SEEN_SHARE * encoded;
}
