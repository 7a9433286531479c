/**
 * `npm run bench -- audience`: a large audience of one room on this machine: HLS players that hold a blocking playlist reload each, MP3 listeners,
 * and what they cost the bridge.
 *
 * The bridge's part and the audience are processes of their own. The delay of a playlist is from the moment at which a part is there until the
 * last byte of the playlist that announces it has arrived, over all clients and parts.
 */
import { hlsRow } from "./audience/hls-row.ts";
import { measureMp3Audience } from "./audience/mp3-audience.ts";
import { readOptions, reportRow } from "./report.ts";

const options = readOptions({
  kind: { default: "all", oneOf: ["all", "hls", "mp3"], about: "which audience" },
  clients: { default: 0, min: 0, max: 20_000, whole: true, about: "how many; 0 = as in the issue" },
  seconds: { default: 20, min: 2, max: 3_600, about: "measured time" },
  kbps: { default: 1_000, min: 50, max: 20_000, about: "rate of the picture" },
  parts: { default: "no", oneOf: ["no", "yes"], about: "HLS clients fetch each part, too, as without a CDN" },
  runtime: { default: "deno", oneOf: ["deno", "node"], about: "of the bridge" },
});

const MP3_LISTENERS = 5_000;
const { kind, clients, seconds, kbps, parts, runtime } = options;

if (kind !== "mp3") {
  const wanted = clients === 0 ? undefined : clients;
  reportRow(await hlsRow({ clients: wanted, seconds, kbps, fetchParts: parts === "yes", runtime }));
}
if (kind !== "hls") {
  await measureMp3Audience({ listeners: clients === 0 ? MP3_LISTENERS : clients, seconds, runtime });
}
