/**
 * What one datagram sent costs: one publisher, many subscribers on loopback, the server in this process and all clients
 * in another. Prints one JSON object: server CPU time for each datagram sent, delivered share, one-way delay.
 *
 *   deno run -A fan-out.bench.ts [--subscribers 50] [--rate 500] [--bytes 1000] [--seconds 8] [--burst 1]
 *
 * `burst` datagrams leave the publisher together: QUIC works by the wake-up, so together they cost much less.
 */
import process from "node:process";
import { createCertificate } from "../../serving/certificate.ts";
import { connectWebTransport, serveWebTransport, type WtSession } from "./mod.ts";

interface Row {
  readonly subscribers: number;
  readonly ratePerSecond: number;
  readonly payloadBytes: number;
  readonly seconds: number;
  readonly burst: number;
}

/** What the client process is told, and what it answers. */
interface ClientOrder extends Row {
  readonly url: string;
  readonly sha256: readonly number[];
}
interface ClientResult {
  readonly published: number;
  readonly received: number;
  readonly delayP50Ms: number;
  readonly delayP99Ms: number;
}

const TICK_MS = 1;
const SETTLE_MS = 500;
const WARM_UP_MS = 1500;
const print = (value: object): void => {
  Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(value)}\n`));
};
const delay = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
/** Wall clock with a fraction, the same in both processes. */
const clockMs = (): number => performance.timeOrigin + performance.now();

/** The server: whatever the publisher sends goes to every subscriber, the same buffer again and again. */
async function runServer(row: Row): Promise<void> {
  const certificate = await createCertificate();
  const subscribers = new Set<WtSession>();
  const buffer = new Uint8Array(2048);
  let sent = 0;
  const server = serveWebTransport({
    hostname: "127.0.0.1",
    cert: certificate.certPem,
    key: certificate.keyPem,
    onSession: (session) => {
      if (session.path === "/subscribe") {
        subscribers.add(session);
        void session.closed.then(() => subscribers.delete(session));
        return;
      }
      session.onDatagram = (bytes) => {
        buffer.set(bytes, 1);
        const datagram = buffer.subarray(0, bytes.length + 1);
        for (const subscriber of subscribers) if (subscriber.sendDatagram(datagram)) sent += 1;
      };
    },
  });
  const order: ClientOrder = { ...row, url: server.url("127.0.0.1"), sha256: [...certificate.sha256] };
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--unstable-net", import.meta.filename ?? "", "--clients", JSON.stringify(order)],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const output = child.output();
  await delay(WARM_UP_MS + SETTLE_MS);
  const [cpuBefore, sentBefore] = [process.cpuUsage(), sent];
  await delay((row.seconds * 1000 * 3) / 4);
  const [cpu, sentMeanwhile] = [process.cpuUsage(cpuBefore), sent - sentBefore];
  const result = JSON.parse(new TextDecoder().decode((await output).stdout)) as ClientResult;
  const figures = {
    cpuMicrosecondsPerDatagram: Number(((cpu.user + cpu.system) / sentMeanwhile).toFixed(2)),
    deliveredShare: result.received / (result.published * row.subscribers),
    sent,
    delayP50Ms: result.delayP50Ms,
    delayP99Ms: result.delayP99Ms,
  };
  print({ bench: "webtransport-fan-out", row, figures });
  await server.close();
  Deno.exit(0);
}

/** The clients: one publisher at a steady rate and all subscribers, in one process. */
async function runClients(order: ClientOrder): Promise<void> {
  const options = { serverCertificateHashes: [Uint8Array.from(order.sha256)] };
  const delays: number[] = [];
  let received = 0;
  const sessions = await Promise.all(
    Array.from({ length: order.subscribers }, (_, index) =>
      connectWebTransport(`${order.url}subscribe`, {
        ...options,
        onSession: (session) => {
          session.onDatagram = (bytes) => {
            received += 1;
            if (index === 0)
              delays.push(clockMs() - new DataView(bytes.buffer, bytes.byteOffset).getFloat64(0));
          };
        },
      }),
    ),
  );
  const publisher = await connectWebTransport(`${order.url}publish`, options);
  const buffer = new Uint8Array(publisher.datagramHeadroom + order.payloadBytes);
  const view = new DataView(buffer.buffer, publisher.datagramHeadroom);
  const totalDatagrams = order.ratePerSecond * (order.seconds + WARM_UP_MS / 1000);
  const startMs = clockMs();
  let published = 0;
  while (published < totalDatagrams) {
    const elapsed = ((clockMs() - startMs) * order.ratePerSecond) / 1000;
    const due = Math.min(totalDatagrams, Math.floor(elapsed / order.burst) * order.burst);
    for (; published < due; published += 1) {
      view.setFloat64(0, clockMs());
      publisher.sendDatagram(buffer);
    }
    await delay(TICK_MS);
  }
  await delay(SETTLE_MS);
  delays.sort((a, b) => a - b);
  const at = (share: number): number =>
    Number((delays[Math.floor(delays.length * share)] ?? Number.NaN).toFixed(2));
  const result: ClientResult = { published, received, delayP50Ms: at(0.5), delayP99Ms: at(0.99) };
  print(result);
  for (const session of [publisher, ...sessions]) session.close();
  Deno.exit(0);
}

function option(name: string, fallback: number): number {
  const index = Deno.args.indexOf(`--${name}`);
  const value = index === -1 ? fallback : Number(Deno.args[index + 1]);
  if (Number.isFinite(value) && value > 0) return value;
  console.error(`--${name} must be a number above 0.`);
  return Deno.exit(2);
}

if (import.meta.main) {
  const clientsAt = Deno.args.indexOf("--clients");
  if (clientsAt !== -1) {
    await runClients(JSON.parse(Deno.args[clientsAt + 1] ?? "") as ClientOrder);
  } else {
    await runServer({
      subscribers: option("subscribers", 50),
      ratePerSecond: option("rate", 500),
      payloadBytes: option("bytes", 1000),
      seconds: option("seconds", 8),
      burst: option("burst", 1),
    });
  }
}
