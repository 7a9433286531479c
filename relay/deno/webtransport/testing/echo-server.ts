/**
 * A small server for the tests, run in its own Deno process: what it does depends on the path, what it sees is
 * printed as one JSON object a line, and commands come as JSON lines on its standard input.
 */
import { createCertificate } from "../../../serving/certificate.ts";
import { type SessionRequest, serveWebTransport, type WtSession } from "../mod.ts";

const text = new TextEncoder();
const print = (event: object): void => {
  Deno.stdout.writeSync(text.encode(`${JSON.stringify(event)}\n`));
};

async function readAll(readable: ReadableStream<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(
    await new Response(readable as ReadableStream<Uint8Array<ArrayBuffer>>).arrayBuffer(),
  );
}

async function writeAll(writable: WritableStream<Uint8Array>, bytes: Uint8Array): Promise<void> {
  const writer = writable.getWriter();
  await writer.write(bytes);
  await writer.close();
}

/** Sends every datagram and stream back; one-way streams come back on a one-way stream of ours. */
function echo(session: WtSession): void {
  session.onDatagram = (bytes) => {
    const buffer = new Uint8Array(session.datagramHeadroom + bytes.length);
    buffer.set(bytes, session.datagramHeadroom);
    session.sendDatagram(buffer);
  };
  session.onBidirectionalStream = ({ readable, writable }) => {
    readable
      .pipeTo(writable)
      .catch((error: unknown) => print({ event: "stream-error", error: String(error) }));
  };
  session.onUnidirectionalStream = async (readable) => {
    const bytes = await readAll(readable);
    await writeAll(await session.createUnidirectionalStream(), bytes);
  };
}

/** Opens one stream of each kind and reports what came back on the bidirectional one. */
async function openStreams(session: WtSession): Promise<void> {
  await writeAll(await session.createUnidirectionalStream(), text.encode("one-way from the server"));
  const { readable, writable } = await session.createBidirectionalStream();
  await writeAll(writable, text.encode("two-way from the server"));
  print({ event: "answer", text: new TextDecoder().decode(await readAll(readable)) });
}

function onSession(session: WtSession): void {
  const url = new URL(session.path, "https://test");
  const { origin, authority, path } = session;
  print({ event: "session", path, origin, authority, remote: session.remoteAddress.hostname });
  void session.closed.then((info) => print({ event: "closed", path, ...info, stats: session.stats() }));
  if (url.pathname === "/echo") echo(session);
  if (url.pathname === "/open") void openStreams(session);
  if (url.pathname === "/drain") session.drain();
  if (url.pathname === "/close") {
    session.onDatagram = () =>
      session.close({
        code: Number(url.searchParams.get("code")),
        reason: url.searchParams.get("reason") ?? "",
      });
  }
}

async function onRequest(request: SessionRequest) {
  if (request.path.startsWith("/slow")) await new Promise((resolve) => setTimeout(resolve, 100));
  if (request.path.startsWith("/forbidden")) return { accept: false, status: 403 } as const;
  return { accept: true } as const;
}

const first = await createCertificate();
const server = serveWebTransport({
  hostname: "127.0.0.1",
  port: 0,
  cert: first.certPem,
  key: first.keyPem,
  onRequest,
  onSession,
});
print({ event: "listening", port: server.port, hash: [...first.sha256] });

const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream());
for await (const line of lines) {
  if (line.startsWith("renew")) {
    const next = await createCertificate();
    server.updateCertificate(next.certPem, next.keyPem);
    print({ event: "renewed", hash: [...next.sha256] });
  }
  if (line.startsWith("stats")) print({ event: "stats", ...server.stats() });
}
// The test that started this process is gone.
Deno.exit(0);
