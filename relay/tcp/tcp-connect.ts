/** Dials a relay over TCP from Node and Deno, by HTTP/2 with the package's client: links of relays without UDP, and tests. */
import type { Clock } from "../../core/clock.ts";
import { ReliableSession } from "../../core/session/reliable-session.ts";
import { type Connect, type Session, SessionClosedError } from "../../core/session/session.ts";
import { TCP_CLOSE_LINGER_MS } from "../../core/wire/limits.ts";
import { calmPings } from "./calm-pings.ts";
import { loadPackage } from "./load-package.ts";
import type { PackageTransport } from "./package-objects.ts";
import { PackagePipe } from "./package-pipe.ts";

let nextId = 1;

/** Goes to `fallbackUrl`, whatever `url` is. Rejects with SessionClosedError. */
export function tcpConnect(clock: Clock, onFault: (error: unknown) => void): Connect {
  return async (_url, { certificateHashes, timeoutMs, fallbackUrl: url = "" }) => {
    if (url === "") throw new SessionClosedError("the relay takes no sessions over TCP");
    const { WebTransport } = await loadPackage();
    const transport = new WebTransport(url, {
      forceReliable: true,
      quicConnectTimeout: timeoutMs,
      webTransportConnectTimeout: timeoutMs,
      // Given at all, they switch the usual check off.
      ...(certificateHashes.length > 0
        ? { serverCertificateHashes: certificateHashes.map((value) => ({ algorithm: "sha-256", value })) }
        : {}),
    });
    const inner = transport.sessionint;
    const connection = inner.parentobj.transportInt?.clientInt;
    if (connection !== undefined) calmPings(connection);
    inner.closed.catch(() => undefined);
    await ready(transport, clock, timeoutMs);
    const { host, pathname, search } = new URL(url);
    const session: Session = new ReliableSession({
      pipe: new PackagePipe(inner, clock, { onCut: () => undefined, onFault }),
      clock,
      isDialled: true,
      id: `tcp-${nextId++}`,
      remoteAddress: host,
      path: pathname + search,
    });
    const cut = (): void => cutConnection(transport);
    void session.closed.then(() => clock.after(2 * TCP_CLOSE_LINGER_MS, cut));
    return session;
  };
}

async function ready(transport: PackageTransport, clock: Clock, timeoutMs: number): Promise<void> {
  let cancel = (): void => undefined;
  const timeout = new Promise<never>((_, reject) => {
    const timer = clock.after(timeoutMs, () =>
      reject(new SessionClosedError(`no answer over TCP in ${timeoutMs} ms`)),
    );
    cancel = () => timer.cancel();
  });
  try {
    await Promise.race([transport.ready, timeout]);
  } catch (cause) {
    cutConnection(transport);
    if (cause instanceof SessionClosedError) throw cause;
    const detail = cause instanceof Error ? cause.message : String(cause);
    throw new SessionClosedError(`the session over TCP was refused or cut off: ${detail}`, { cause });
  } finally {
    cancel();
  }
}

function cutConnection(transport: PackageTransport): void {
  transport.sessionint.parentobj.transportInt?.clientInt?.destroy();
}
