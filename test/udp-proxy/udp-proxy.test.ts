/** Datagrams go there and back through the proxy, each client keeps its own way, and what is counted adds up. */
import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { once } from "node:events";
import { afterEach, expect, it } from "vitest";
import { UdpProxy } from "./udp-proxy.ts";

const open: { close: () => unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

async function socket(): Promise<Socket> {
  const made = createSocket("udp4");
  made.bind(0, "127.0.0.1");
  await once(made, "listening");
  open.push(made);
  return made;
}

async function echo(): Promise<number> {
  const server = await socket();
  server.on("message", (datagram, from) => server.send(datagram, from.port, from.address));
  return server.address().port;
}

it("carries both ways and keeps clients apart", async () => {
  const proxy = await UdpProxy.listen({
    port: 0,
    targetPort: await echo(),
    up: { delayMs: 5 },
    down: { delayMs: 5 },
  });
  open.push(proxy);
  for (const text of ["ann", "bob"]) {
    const client = await socket();
    const sentMs = performance.now();
    client.send(text, proxy.port, "127.0.0.1");
    const [answer] = await once(client, "message");
    expect(String(answer)).toBe(text);
    expect(performance.now() - sentMs).toBeGreaterThanOrEqual(9);
  }
  expect(proxy.counters.up.forwarded).toBe(2);
  expect(proxy.counters.down.forwarded).toBe(2);
});

it("counts what it loses, and can be changed while it runs", async () => {
  const proxy = await UdpProxy.listen({ port: 0, targetPort: await echo(), up: { loss: 0.999999 } });
  open.push(proxy);
  const client = await socket();
  for (let i = 0; i < 20; i++) client.send("x", proxy.port, "127.0.0.1");
  while (proxy.counters.up.random < 20) await new Promise((resolve) => setTimeout(resolve, 5));
  proxy.change("up", { loss: 0 });
  client.send("y", proxy.port, "127.0.0.1");
  const [answer] = await once(client, "message");
  expect(String(answer)).toBe("y");
  expect(proxy.counters.up).toEqual({ forwarded: 1, random: 20, burst: 0, "queue-full": 0 });
});

it("cuts off the clients that it knows, and serves others", async () => {
  const proxy = await UdpProxy.listen({ port: 0, targetPort: await echo() });
  open.push(proxy);
  const [old, fresh] = [await socket(), await socket()];
  const heard: string[] = [];
  old.on("message", (datagram) => heard.push(String(datagram)));
  old.send("before", proxy.port, "127.0.0.1");
  await once(old, "message");
  proxy.cut();
  old.send("after", proxy.port, "127.0.0.1");
  fresh.send("first", proxy.port, "127.0.0.1");
  const [answer] = await once(fresh, "message");
  expect(String(answer)).toBe("first");
  expect(heard).toEqual(["before"]);
});

it("gives clients another address towards the target, and loses what is sent to the old one", async () => {
  const server = await socket();
  const seen: RemoteInfo[] = [];
  const came = (): Promise<unknown> => once(server, "message");
  server.on("message", (_, from) => seen.push(from));
  const proxy = await UdpProxy.listen({ port: 0, targetPort: server.address().port });
  open.push(proxy);
  const client = await socket();
  const heard: string[] = [];
  client.on("message", (datagram) => heard.push(String(datagram)));
  client.send("one", proxy.port, "127.0.0.1");
  await came();
  proxy.rebind();
  client.send("two", proxy.port, "127.0.0.1");
  await came();
  const [before, after] = seen.map(({ port }) => port) as [number, number];
  expect(after).not.toBe(before);
  server.send("to the old one", before, "127.0.0.1");
  server.send("to the new one", after, "127.0.0.1");
  await once(client, "message");
  expect(heard).toEqual(["to the new one"]);
});
