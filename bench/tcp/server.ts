/** The listener of bench/tcp.ts, in Node or Deno: whatever comes from the session at /publish goes to all others. Ends with its standard input. */
import { Buffer } from "node:buffer";
import process from "node:process";
import type { Session } from "../../core/session/session.ts";
import { createCertificate } from "../../relay/serving/certificate.ts";
import { systemClock } from "../../relay/serving/clock.ts";
import { TcpListener } from "../../relay/tcp/tcp-listener.ts";
import type { ServerFigures } from "./orders.ts";

const subscribers = new Set<Session>();
let [sent, queueFull, firstMs, lastMs] = [0, 0, 0, 0];
let cpuBefore = process.cpuUsage();

function publish(publisher: Session): void {
  publisher.onDatagram = (bytes) => {
    lastMs = performance.now();
    if (firstMs === 0) {
      firstMs = lastMs;
      cpuBefore = process.cpuUsage();
    }
    for (const subscriber of subscribers) {
      if (subscriber.sendDatagram(bytes) === undefined) sent++;
      else queueFull++;
    }
  };
}

const certificate = await createCertificate();
const listener = await TcpListener.listen({
  hostname: "127.0.0.1",
  port: 0,
  cert: certificate.certPem,
  key: certificate.keyPem,
  clock: systemClock,
  refuse: () => undefined,
  onSession: (session) => {
    if (session.path === "/publish") return publish(session);
    subscribers.add(session);
    void session.closed.then(() => subscribers.delete(session));
  },
  onFault: (error) => console.error(error),
});

function say(value: object): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

process.stdin.resume().on("end", () => {
  const { user, system } = process.cpuUsage(cpuBefore);
  const seconds = (lastMs - firstMs) / 1000;
  say({ cpuUs: user + system, sent, queueFull, seconds } satisfies ServerFigures);
  process.exit(0);
});
say({
  url: `https://127.0.0.1:${listener.port}`,
  hash: Buffer.from(certificate.sha256).toString("base64"),
});
