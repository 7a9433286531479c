/** Round trips over the time of the measurement: a line, and a red mark below for what was lost. Decoration: the tiles say it in figures. */
import { html, nothing, svg } from "lit";
import type { DiagnosisReport } from "../../sdk/index.ts";

type Moments = DiagnosisReport["timeline"];

const WIDTH = 600;
const HEIGHT = 120;
/** Below the line: losses. */
const FOOT = 18;
/** At the least this much is on the scale, so that good roads look calm. */
const LEAST_TOP_MS = 100;
const LEAST_SPAN_MS = 5_500;

export function echoChart(moments: Moments) {
  const topMs = niceTop(Math.max(0, ...moments.map(({ rttMs = 0 }) => rttMs)));
  const firstMs = moments[0]?.atMs ?? 0;
  const spanMs = Math.max(LEAST_SPAN_MS, (moments.at(-1)?.atMs ?? 0) - firstMs);
  const x = (atMs: number): number => Math.round(((atMs - firstMs) / spanMs) * WIDTH * 10) / 10;
  const y = (rttMs: number): number => Math.round((HEIGHT - (rttMs / topMs) * HEIGHT) * 10) / 10;
  return html`<figure class="chart" aria-hidden="true">
    <div class="scale"><span>${topMs} ms</span><span>0</span></div>
    <svg viewBox="0 -4 ${WIDTH} ${HEIGHT + FOOT + 6}" preserveAspectRatio="none">
      ${[0, 0.5, 1].map((share) => svg`<path class="grid" d="M0 ${HEIGHT * share}H${WIDTH}" />`)}
      ${linesOf(moments).map((line) => {
        const points = line.map(({ atMs, rttMs = 0 }) => `${x(atMs)} ${y(rttMs)}`).join("L");
        const [from, to] = [x(line[0]?.atMs ?? 0), x(line.at(-1)?.atMs ?? 0)];
        return svg`<path class="area" d="M${from} ${HEIGHT}L${points}L${to} ${HEIGHT}Z" /><path class="line" d="M${points}" />`;
      })}
      ${moments.map(({ atMs, asked, lost }) =>
        lost === 0
          ? nothing
          : svg`<rect class="lost" x=${x(atMs)} y=${HEIGHT + 4} width="7" height=${2 + (lost / asked) * (FOOT - 4)} rx="1" />`,
      )}
    </svg>
    <figcaption><span class="key-line">round trip</span><span class="key-lost">lost</span></figcaption>
  </figure>`;
}

/** Where nothing came back the line has a gap. */
function linesOf(moments: Moments): Moments[] {
  const lines: Moments[] = [[]];
  for (const moment of moments) {
    if (moment.rttMs === undefined) lines.push([]);
    else lines.at(-1)?.push(moment);
  }
  return lines.filter((line) => line.length > 1);
}

function niceTop(mostMs: number): number {
  const steps = [LEAST_TOP_MS, 200, 400, 600, 1_000, 1_500, 2_000];
  return steps.find((step) => step >= mostMs) ?? Math.ceil(mostMs / 1_000) * 1_000;
}
