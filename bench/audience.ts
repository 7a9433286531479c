/**
 * `npm run bench -- audience`: a large audience of one room on this machine: HLS players that hold a blocking playlist reload each, and what
 * that costs the bridge.
 *
 * The bridge's part and the audience are processes of their own. The delay of a playlist is from the moment at which a part is there until the
 * last byte of the playlist that announces it has arrived, over all clients and parts.
 */
import { type AudienceOptions, hlsRow } from "./audience/hls-row.ts";
import { readOptions, reportRow, type Row } from "./report.ts";

const options = readOptions({
  kind: { default: "all", oneOf: ["all", "hls"], about: "which audience" },
  clients: { default: 0, min: 0, max: 20_000, whole: true, about: "how many; 0 = as in the issue" },
  seconds: { default: 20, min: 2, max: 3_600, about: "measured time" },
  kbps: { default: 1_000, min: 50, max: 20_000, about: "rate of the picture" },
  parts: { default: "no", oneOf: ["no", "yes"], about: "HLS clients fetch each part, too, as without a CDN" },
  runtime: { default: "deno", oneOf: ["deno", "node"], about: "of the bridge" },
});

/** One row kind each; a kind of its own is a file in bench/audience. */
const ROWS: Record<string, (options: AudienceOptions) => Promise<Row>> = { hls: hlsRow };

for (const [kind, measure] of Object.entries(ROWS)) {
  if (options.kind !== "all" && options.kind !== kind) continue;
  reportRow(
    await measure({
      clients: options.clients === 0 ? undefined : options.clients,
      seconds: options.seconds,
      kbps: options.kbps,
      fetchParts: options.parts === "yes",
      runtime: options.runtime,
    }),
  );
}
