/**
 * The picture of `bench -- weather --picture`: what random loss leaves of a call, ours beside WebRTC's, as an SVG that
 * can be read in light and in dark. Four charts over the loss of the road: frozen picture, concealed sound, delay to the
 * ear, delay to the eye.
 */
import type { Figures } from "../report.ts";
import { type Conditions, isPlainLoss } from "./conditions.ts";

export interface Measured {
  conditions: Conditions;
  ours?: Figures;
  theirs?: Figures;
}

interface Chart {
  title: string;
  figure: string;
  /** The figure's unit into the chart's. */
  scale: number;
}

const CHARTS: readonly Chart[] = [
  { title: "Frozen picture, ms a minute", figure: "frozenMsPerMinute", scale: 1 },
  { title: "Concealed sound, %", figure: "concealedShare", scale: 100 },
  { title: "Capture to ear, median, ms", figure: "audioDelayP50Ms", scale: 1 },
  { title: "Capture to eye, median, ms", figure: "videoDelayP50Ms", scale: 1 },
];

const WIDTH = 860;
const HEIGHT = 640;
const CHART_WIDTH = 340;
const CHART_HEIGHT = 170;
const LEFT = [70, 490];
const TOP = [100, 345];

const STYLE = `
text{font:13px system-ui,sans-serif;fill:#24292f}.title{font-weight:600}.head{font-size:17px;font-weight:600}
.small{font-size:11px;fill:#57606a}.axis{stroke:#8c959f}.grid{stroke:#d0d7de}.back{fill:#fff}
.ours{stroke:#0969da}.theirs{stroke:#bc4c00;stroke-dasharray:6 4}polyline,.key{fill:none;stroke-width:2.5}
circle.ours{fill:#0969da;stroke:none}circle.theirs{fill:#bc4c00;stroke:none}
@media (prefers-color-scheme:dark){text{fill:#e6edf3}.small{fill:#9198a1}.axis{stroke:#6e7681}.grid{stroke:#30363d}
.back{fill:#0d1117}.ours{stroke:#58a6ff}.theirs{stroke:#f0883e}circle.ours{fill:#58a6ff}circle.theirs{fill:#f0883e}}`;

/** One of 1, 2, 2.5, 5 times a power of ten, so that `top` has at most five steps. */
export function gridStep(top: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(top, 1e-6) / 5));
  const step = [1, 2, 2.5, 5, 10].find((factor) => factor * power * 5 >= top * (1 - 1e-9)) ?? 10;
  return step * power;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

const label = (value: number) => String(Number(value.toPrecision(3)));
const at = (value: number) => value.toFixed(1);

/** [loss, figure] of one system, in order of loss; what could not be measured is left out. */
function series(rows: readonly Measured[], whose: "ours" | "theirs", chart: Chart): [number, number][] {
  const points: [number, number][] = [];
  for (const row of rows) {
    const value = row[whose]?.[chart.figure];
    if (value != null) points.push([row.conditions.loss, value * chart.scale]);
  }
  return points.sort(([a], [b]) => a - b);
}

function drawChart(rows: readonly Measured[], chart: Chart, left: number, top: number): string {
  const lines = { theirs: series(rows, "theirs", chart), ours: series(rows, "ours", chart) };
  const values = [...lines.theirs, ...lines.ours];
  const step = gridStep(Math.max(...values.map(([, value]) => value), 1e-3));
  const highest = step * Math.max(1, Math.ceil(Math.max(0, ...values.map(([, value]) => value)) / step));
  const mostLoss = Math.max(1, ...rows.map(({ conditions }) => conditions.loss));
  const x = (loss: number) => left + (loss / mostLoss) * CHART_WIDTH;
  const y = (value: number) => top + CHART_HEIGHT - (value / highest) * CHART_HEIGHT;
  const parts = [`<text class="title" x="${left}" y="${top - 14}">${chart.title}</text>`];
  for (let value = 0; value <= highest * (1 + 1e-9); value += step) {
    parts.push(
      `<line class="${value === 0 ? "axis" : "grid"}" x1="${left}" x2="${left + CHART_WIDTH}" y1="${at(y(value))}" y2="${at(y(value))}"/>`,
      `<text class="small" text-anchor="end" x="${left - 8}" y="${at(y(value) + 4)}">${label(value)}</text>`,
    );
  }
  for (const loss of new Set(rows.map(({ conditions }) => conditions.loss))) {
    parts.push(
      `<text class="small" text-anchor="middle" x="${at(x(loss))}" y="${top + CHART_HEIGHT + 17}">${label(loss)} %</text>`,
    );
  }
  for (const [whose, points] of Object.entries(lines)) {
    const path = points.map(([loss, value]) => `${at(x(loss))},${at(y(value))}`).join(" ");
    parts.push(`<polyline class="${whose}" points="${path}"/>`);
    for (const [loss, value] of points) {
      parts.push(
        `<circle class="${whose}" cx="${at(x(loss))}" cy="${at(y(value))}" r="4"><title>${label(value)}</title></circle>`,
      );
    }
  }
  return parts.join("\n");
}

/**
 * Draws the rows of random loss that have the first such row's round trip.
 * @param command what made the rows; it is written into the picture
 * @param roads that Tributary's media crossed
 * @throws Error when no row can be drawn
 */
export function drawWeather(
  measured: readonly Measured[],
  command: string,
  browser: string,
  roads = 2,
): string {
  const plain = measured.filter(({ conditions }) => isPlainLoss(conditions));
  const rttMs = plain[0]?.conditions.rttMs;
  const rows = plain.filter(({ conditions }) => conditions.rttMs === rttMs);
  if (rows.length === 0) throw new Error("The picture shows random loss; no such row was measured.");
  const charts = CHARTS.map((chart, index) =>
    drawChart(rows, chart, LEFT[index % 2]!, TOP[Math.floor(index / 2)]!),
  );
  const crossed = roads === 1 ? "the second part such a road" : "two such roads (twice the delay and loss)";
  const about = `${browser}. WebRTC: page to page over one such road. Tributary: page to relay to page, ${crossed}.`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" aria-label="What random loss leaves of a call, Tributary beside WebRTC">
<style>${STYLE}</style>
<rect class="back" width="${WIDTH}" height="${HEIGHT}"/>
<text class="head" x="30" y="34">A call through random loss, round trip ${rttMs} ms</text>
<line class="key ours" x1="30" x2="62" y1="56" y2="56"/><text x="70" y="60">Tributary</text>
<line class="key theirs" x1="160" x2="192" y1="56" y2="56"/><text x="200" y="60">WebRTC in the same browser</text>
${charts.join("\n")}
<text class="small" x="30" y="${HEIGHT - 62}">Across: share of datagrams that each road loses in each direction.</text>
<text class="small" x="30" y="${HEIGHT - 42}">${escaped(about)}</text>
<text class="small" x="30" y="${HEIGHT - 22}">Made by: ${escaped(command)}</text>
</svg>
`;
}
