/** Clients of a TCP listener that say what they like: raw sockets, WebSocket frames by hand, bare HTTP/2. Node's sockets, which Deno has too. */
import { type ClientHttp2Session, type ClientHttp2Stream, connect as connectHttp2 } from "node:http2";
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";

const HOST = "127.0.0.1";

/** A connection without an ear for errors would end this process. */
function deaf<S extends Socket>(socket: S): S {
  socket.on("error", () => undefined);
  return socket;
}

export function secure(port: number, protocol = "http/1.1"): Promise<TLSSocket> {
  return new Promise((resolve) => {
    const options = { port, host: HOST, rejectUnauthorized: false, ALPNProtocols: [protocol] };
    const socket = deaf(connectTls(options, () => resolve(socket)));
  });
}

export const UPGRADE = [
  "GET /path?ticket=1 HTTP/1.1",
  "host: relay.test",
  "connection: Upgrade",
  "upgrade: websocket",
  "sec-websocket-version: 13",
  "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
  "sec-websocket-protocol: webtransport_kDraft2",
  "",
  "",
].join("\r\n");

/** Nothing but a TCP connection. */
export function plain(port: number): Socket {
  return deaf(connectTcp(port, HOST));
}

/** The answer's first line, and everything behind the head. */
export async function upgraded(port: number): Promise<{ socket: TLSSocket; status: string }> {
  const socket = await secure(port);
  const answer = new Promise<string>((resolve) => {
    socket.once("data", (bytes: Uint8Array) => resolve(String(bytes)));
    socket.once("close", () => resolve(""));
  });
  socket.write(UPGRADE);
  return { socket, status: (await answer).split("\r\n")[0]! };
}

/** A WebSocket frame, masked with zeros. */
export function frame(payload: readonly number[], opcode = 2, isLast = true): Uint8Array {
  const length = payload.length < 126 ? [payload.length] : [126, payload.length >> 8, payload.length & 255];
  const [first, ...rest] = length;
  return Uint8Array.from([(isLast ? 0x80 : 0) | opcode, 0x80 | first!, ...rest, 0, 0, 0, 0, ...payload]);
}

export async function http2(port: number): Promise<ClientHttp2Session> {
  const client = connectHttp2(`https://${HOST}:${port}`, { rejectUnauthorized: false });
  client.on("error", () => undefined);
  await new Promise<void>((resolve) => client.once("remoteSettings", () => resolve()));
  return client;
}

export function ask(
  client: ClientHttp2Session,
  headers: Record<string, string>,
): { stream: ClientHttp2Stream; status: Promise<number> } {
  const stream = client.request(headers, { endStream: false });
  stream.on("error", () => undefined);
  const status = new Promise<number>((resolve) => {
    stream.once("response", (answer) => resolve(Number(answer[":status"])));
    stream.once("close", () => resolve(0));
  });
  return { stream, status };
}

export const CONNECT = {
  ":method": "CONNECT",
  ":protocol": "webtransport",
  ":scheme": "https",
  ":path": "/path",
  ":authority": "relay.test",
};
