/** The clients of bench/tcp.ts: one that sends at a steady rate, and all that receive. */
import { Buffer } from "node:buffer";
import process from "node:process";
import { systemClock } from "../../relay/serving/clock.ts";
import { tcpConnect } from "../../relay/tcp/tcp-connect.ts";
import type { ClientOrder, ClientResult } from "./orders.ts";

const order = JSON.parse(process.argv[2] ?? "") as ClientOrder;
const SETTLE_MS = 500;
const TICK_MS = 1;

const connect = tcpConnect(systemClock, (error) => console.error(error));
const open = (path: string) =>
  connect("", {
    certificateHashes: [new Uint8Array(Buffer.from(order.hash, "base64"))],
    timeoutMs: 20_000,
    fallbackUrl: order.url + path,
  });

/** The same in both processes. */
const nowMs = (): number => performance.timeOrigin + performance.now();
const pause = (delayMs: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, delayMs));

const delaysMs: number[] = [];
let received = 0;
for (let index = 0; index < order.subscribers; index++) {
  const session = await open("/subscribe");
  session.onDatagram = (bytes) => {
    received++;
    if (index === 0) delaysMs.push(nowMs() - new DataView(bytes.buffer, bytes.byteOffset).getFloat64(0));
  };
}

const publisher = await open("/publish");
const datagram = new Uint8Array(order.bytes);
const view = new DataView(datagram.buffer);
const total = order.rate * order.seconds;
const startMs = nowMs();
let published = 0;
while (published < total) {
  const elapsed = ((nowMs() - startMs) * order.rate) / 1000;
  const due = Math.min(total, Math.floor(elapsed / order.burst) * order.burst);
  for (; published < due; published++) {
    view.setFloat64(0, nowMs());
    publisher.sendDatagram(datagram);
  }
  await pause(TICK_MS);
}
await pause(SETTLE_MS);
delaysMs.sort((a, b) => a - b);
const at = (share: number): number => delaysMs[Math.floor(delaysMs.length * share)] ?? Number.NaN;
const result: ClientResult = { published, received, delayP50Ms: at(0.5), delayP99Ms: at(0.99) };
process.stdout.write(`${JSON.stringify(result)}\n`);
process.exit(0);
