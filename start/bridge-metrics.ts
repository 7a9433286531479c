/** A bridge's figures as Prometheus text, by the writer that relays have (relay/metrics-text.ts). */
import type { BridgeFigures } from "../bridge/bridge.ts";
import { MetricsText } from "../relay/metrics-text.ts";

/** `further` writes what the process itself has to tell. */
export function bridgeMetrics(figures: BridgeFigures, further: (text: MetricsText) => void): string {
  const text = new MetricsText();
  writeGauges(text, figures);
  writeCounts(text, figures);
  further(text);
  return text.toString();
}

function writeGauges(text: MetricsText, figures: BridgeFigures): void {
  const { outputs, senders } = figures;
  text.gauge(
    "tributary_bridge_registered",
    "1 while the directory knows this bridge.",
    Number(figures.registered),
  );
  text.gauge("tributary_bridge_draining", "1 while it takes no new jobs.", Number(figures.draining));
  text.gauge("tributary_bridge_capacity", "Outputs and senders that it takes.", figures.capacity);
  text.gauge("tributary_bridge_jobs", "Outputs and senders that it has.", figures.load);
  text.gauges(
    "tributary_bridge_outputs",
    "Outputs, by type and state.",
    countedBy(outputs.map(({ type, report }) => ({ type, state: report.state }))),
  );
  text.gauges(
    "tributary_bridge_rtmp_targets",
    "Targets of RTMP outputs, by state.",
    countedBy(outputs.flatMap(({ report }) => report.targets ?? []).map(({ state }) => ({ state }))),
  );
  text.gauges("tributary_bridge_senders", "Programs that send into rooms.", [
    [{ protocol: "rtmp" }, senders.rtmp],
    [{ protocol: "icecast" }, senders.icecast],
  ]);
  text.gauge(
    "tributary_bridge_hls_waiting",
    "Players that wait for a playlist or a part.",
    figures.hlsWaiting,
  );
  text.gauge("tributary_bridge_mp3_listeners", "Listeners of MP3 outputs.", figures.mp3Listeners);
}

function writeCounts(text: MetricsText, { counts }: BridgeFigures): void {
  const by = (what: string, label: string): [Record<string, string>, number][] =>
    [...counts].flatMap(([name, value]) => {
      const [kind, of = ""] = name.split("/");
      return kind === what ? [[{ [label]: of }, value] as [Record<string, string>, number]] : [];
    });
  text.counters("tributary_bridge_bytes_in_total", "Bytes from senders.", by("bytes-in", "protocol"));
  text.counters("tributary_bridge_units_in_total", "Access units from RTMP senders.", by("units-in", "kind"));
  text.counters(
    "tributary_bridge_bytes_out_total",
    "Bytes to RTMP targets and audiences.",
    by("bytes-out", "to"),
  );
  text.counter(
    "tributary_bridge_recorded_bytes_total",
    "Bytes written by recordings.",
    counts.get("recorded/bytes") ?? 0,
  );
  text.counters(
    "tributary_bridge_dropped_total",
    "Units, tracks, pictures and listeners left out, by where and why.",
    [...counts].flatMap(([name, value]) => {
      const [kind, where = "", reason = ""] = name.split("/");
      return kind === "dropped" ? [[{ where, reason }, value] as const] : [];
    }),
  );
}

/** A series for each set of labels that occurs, with how often. */
function countedBy(all: readonly Record<string, string>[]): [Record<string, string>, number][] {
  const series = new Map<string, [Record<string, string>, number]>();
  for (const labels of all) {
    const key = JSON.stringify(labels);
    const entry = series.get(key) ?? [labels, 0];
    entry[1] += 1;
    series.set(key, entry);
  }
  return [...series.values()];
}
