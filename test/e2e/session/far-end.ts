/**
 * The far end of the Session contract when a browser is the near one: real sessions, whose methods a page calls over HTTP
 * (POST /call) and whose events it reads (GET /events). Runs in Deno and in Node; ends with its standard input.
 */
import { Buffer } from "node:buffer";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { type ByteStream, type Session, SessionClosedError } from "../../../core/session/session.ts";
import { createCertificate } from "../../../relay/serving/certificate.ts";
import { TcpListener } from "../../../relay/tcp/tcp-listener.ts";
import { wallClock } from "../../sim/wall-clock.ts";
import type { FarAnswer, FarCall, FarEvent } from "./far-end-messages.ts";

const sessions: Session[] = [];
const streams: ByteStream[] = [];
let listener: ServerResponse | undefined;

function emit(event: FarEvent): void {
  listener?.write(`${JSON.stringify(event)}\n`);
}

export function keep(session: Session): void {
  const number = sessions.push(session) - 1;
  session.onDatagram = (bytes) => emit({ session: number, type: "datagram", bytes: base64(bytes) });
  session.onStream = (stream) => emit({ session: number, type: "stream", stream: streams.push(stream) - 1 });
  void session.closed.then((close) => emit({ session: number, type: "closed", close }));
  const { path, datagramHeadroom, keepsDatagramBuffer } = session;
  emit({ session: number, type: "opened", path, datagramHeadroom, keepsDatagramBuffer });
}

async function run(call: FarCall): Promise<FarAnswer["value"]> {
  const session = sessions[call.session]!;
  switch (call.operation) {
    case "state":
      return { counters: session.counters, maxDatagramBytes: session.maxDatagramBytes };
    case "send":
      return session.sendDatagram(bytesOf(call.bytes)) ?? null;
    case "close":
      return void session.close(call.code, call.reason);
    case "open-stream":
      return streams.push(await session.openStream()) - 1;
    case "write":
      return void (await streams[call.stream]!.write(bytesOf(call.bytes)));
    case "read": {
      const bytes = await streams[call.stream]!.read();
      return bytes === undefined ? null : base64(bytes);
    }
    case "finish":
      return void (await streams[call.stream]!.finish());
  }
}

async function answer(request: IncomingMessage): Promise<FarAnswer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  try {
    return { value: await run(JSON.parse(Buffer.concat(chunks).toString()) as FarCall) };
  } catch (error) {
    if (error instanceof SessionClosedError) return { closed: error.message };
    throw error;
  }
}

export const certificate = await createCertificate();
export const FAR_PATH = "/contract?case=1";

/** `url` is where it takes WebTransport, "" = nowhere. */
export async function serveFarEnd(url: string): Promise<void> {
  const tcp = await TcpListener.listen({
    hostname: "127.0.0.1",
    port: 0,
    cert: certificate.certPem,
    key: certificate.keyPem,
    clock: wallClock,
    refuse: () => undefined,
    onSession: keep,
    onFault: (error) => console.error(error),
  });
  const http = createServer((request, response) => {
    if (request.url === "/events") {
      response.writeHead(200, { "content-type": "application/x-ndjson" });
      // Headers travel with the first bytes.
      response.write("\n");
      listener = response;
    } else if (request.url === "/call") {
      answer(request).then(
        (body) => response.end(JSON.stringify(body)),
        (error) => response.writeHead(500).end(String(error)),
      );
    } else {
      response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html><title>contract</title>");
    }
  });
  http.listen(0, "127.0.0.1", () => {
    const page = `http://127.0.0.1:${(http.address() as AddressInfo).port}/`;
    const tcpUrl = `https://127.0.0.1:${tcp.port}${FAR_PATH}`;
    process.stdout.write(`${JSON.stringify({ page, url, tcpUrl, hash: base64(certificate.sha256) })}\n`);
  });
  process.stdin.resume().on("end", () => process.exit(0));
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}

function bytesOf(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "base64"));
}
