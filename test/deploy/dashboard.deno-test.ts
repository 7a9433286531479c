/** deploy/grafana-dashboard.json shows what the /metrics of relays and bridges have, under the same names; and those names keep to Prometheus' habits. */
import assert from "node:assert/strict";
import { RunningCounts } from "../../bridge/running-counts.ts";
import { MemoryDirectory } from "../../core/directory/memory.ts";
import { createCertificate } from "../../relay/serving/certificate.ts";
import { systemClock } from "../../relay/serving/clock.ts";
import { startRelay } from "../../relay/deno/start-relay.ts";
import { bridgeMetrics } from "../../start/bridge-metrics.ts";

interface Dashboard {
  panels: { title: string; targets?: { expr: string }[] }[];
  templating: { list: { query: string | { query: string } }[] };
}

async function metricsText(): Promise<string> {
  const { certPem, keyPem } = await createCertificate();
  const relay = await startRelay({
    host: "127.0.0.1",
    port: 0,
    tcpPort: 0,
    id: "relay1",
    region: "",
    capacity: 100,
    version: "0.0.0",
    certificate: { certPem, keyPem, hashes: [] },
    keys: () => Promise.reject(new Error("nobody joins here")),
    directory: new MemoryDirectory(systemClock),
    operations: { host: "127.0.0.1", port: 0 },
    log: () => undefined,
  });
  try {
    return await (await fetch(`http://127.0.0.1:${relay.operationsPort}/metrics`)).text();
  } finally {
    await relay.stop();
  }
}

const BRIDGE_TEXT = bridgeMetrics(
  {
    registered: true,
    draining: false,
    capacity: 50,
    load: 2,
    outputs: [
      { type: "hls", report: { state: "running" } },
      {
        type: "rtmp",
        report: {
          state: "running",
          targets: [{ name: "Main", state: "reconnecting", message: "", bytesSent: 1, dropped: 0 }],
        },
      },
    ],
    senders: { rtmp: 1, icecast: 0 },
    hlsWaiting: 3,
    mp3Listeners: 4,
    counts: new RunningCounts().now(),
  },
  () => undefined,
);

const TYPE_LINE = /^# TYPE (\S+) (counter|gauge|histogram|summary)$/gm;

/** Type by name. */
function typesOf(text: string): Map<string, string> {
  return new Map([...text.matchAll(TYPE_LINE)].map(([, name, type]) => [name!, type!]));
}

Deno.test("the dashboard, relays and bridges agree on names", async () => {
  const text = (await metricsText()) + BRIDGE_TEXT;
  const types = typesOf(text);
  const file = new URL("../../deploy/grafana-dashboard.json", import.meta.url);
  const { panels, templating } = JSON.parse(await Deno.readTextFile(file)) as Dashboard;
  const queries = [
    ...panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
    ...templating.list.map(({ query }) => (typeof query === "string" ? query : query.query)),
  ];
  const names = queries.flatMap((query) => query.match(/\b(tributary|process)_[a-z0-9_]+\b/g) ?? []);
  assert.ok(names.length > 20);
  for (const name of names) {
    const family = types.has(name) ? name : name.replace(/_(bucket|sum|count)$/, "");
    assert.ok(types.has(family), `the dashboard shows ${name}, which /metrics does not have`);
    if (name.endsWith("_bucket")) assert.equal(types.get(family), "histogram", name);
  }
  const counted = queries.flatMap((query) => [...query.matchAll(/\b(?:rate|increase)\((\w+)\{/g)]);
  for (const [, name] of counted) assert.match(name!, /_(total|bucket)$/, "only what counts up has a rate");
});

Deno.test("metrics have one HELP and TYPE each, counters end in _total and no others do", async () => {
  for (const text of [await metricsText(), BRIDGE_TEXT]) assertHabits(text);
});

Deno.test("a bridge's outputs and targets are counted by state, what it left out by where and why", () => {
  for (const line of [
    'tributary_bridge_outputs{type="hls",state="running"} 1',
    'tributary_bridge_rtmp_targets{state="reconnecting"} 1',
    'tributary_bridge_senders{protocol="rtmp"} 1',
    'tributary_bridge_bytes_out_total{to="mp3"} 0',
    'tributary_bridge_dropped_total{where="mp3-listener",reason="slow"} 0',
  ])
    assert.ok(BRIDGE_TEXT.includes(`\n${line}\n`), line);
});

function assertHabits(text: string): void {
  const names = [...text.matchAll(TYPE_LINE)].map(([, name]) => name!);
  assert.deepEqual(names, [...new Set(names)]);
  for (const [name, type] of typesOf(text)) {
    assert.match(text, new RegExp(`^# HELP ${name} \\S`, "m"));
    assert.equal(name.endsWith("_total"), type === "counter", name);
    assert.doesNotMatch(name, /_(ms|us|kb|percent)(_|$)/, "base units");
  }
  for (const line of text.split("\n").filter((one) => one !== "" && !one.startsWith("#"))) {
    assert.match(line, /^[a-z0-9_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? -?[\d.e+-]+$/);
  }
}
