/** Sessions over a WebSocket, for networks without UDP and browsers without WebTransport. Its code is loaded when it is needed first. */
import { ReliableSession } from "../../core/session/reliable-session.ts";
import { type Connect, SessionClosedError } from "../../core/session/session.ts";
import { workerClock } from "../worker/worker-clock.ts";
import { WebSocketPipe } from "./websocket-pipe.ts";

let nextId = 1;

/** `url` is where the relay listens on TCP. Certificates are the browser's matter: hashes do not apply. Rejects with SessionClosedError. */
export const connectFallback: Connect = async (url, { timeoutMs }) => {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<never>((_, reject) => {
    const detail = `no answer over the WebSocket in ${timeoutMs} ms`;
    timer = setTimeout(() => reject(new SessionClosedError(detail)), timeoutMs);
  });
  const opening = open(url, timeoutMs);
  // One that is ready too late is closed.
  opening.then(
    (session) => timer === undefined && session.close(0, ""),
    () => undefined,
  );
  try {
    return await Promise.race([opening, timeout]);
  } catch (cause) {
    if (cause instanceof SessionClosedError) throw cause;
    const detail = cause instanceof Error ? cause.message : String(cause);
    throw new SessionClosedError(`the WebSocket was refused or cut off: ${detail}`, { cause });
  } finally {
    clearTimeout(timer);
    timer = undefined;
  }
};

async function open(url: string, timeoutMs: number): Promise<ReliableSession> {
  const { WebTransportPonyfill } = await import("./ponyfill.ts");
  const transport = new WebTransportPonyfill(url, {
    quicConnectTimeout: timeoutMs,
    webTransportConnectTimeout: timeoutMs,
  });
  transport.sessionint.closed.catch(() => undefined);
  await transport.ready;
  const { host, pathname, search } = new URL(url);
  return new ReliableSession({
    pipe: new WebSocketPipe(transport),
    clock: workerClock,
    isDialled: true,
    id: `tcp-${nextId++}`,
    remoteAddress: host,
    path: pathname + search,
  });
}
