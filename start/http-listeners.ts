/** Opens the HTTP port on every address it belongs on, and says in one line why when that does not work. */
import type { Settings } from "./settings.mjs";
import { StartError } from "./start-error.mjs";

export interface HttpListeners {
  /** The port in use, also where any free one was asked for. */
  readonly port: number;
  close(): Promise<void>;
}

/** Answers take this long at most once the listeners close. */
const SHUTDOWN_MS = 1_000;

/** Throws StartError when the port is taken or not allowed, or the host is not of this machine. */
export function openHttpListeners(
  settings: Settings,
  handler: Deno.ServeHandler<Deno.NetAddr>,
): HttpListeners {
  const [first = "127.0.0.1", ...rest] = settings.bindAddresses;
  const servers = [serve(first, settings.port, settings, handler)];
  const port = (servers[0] as Deno.HttpServer<Deno.NetAddr>).addr.port;
  for (const address of rest) {
    try {
      servers.push(serve(address, port, settings, handler));
    } catch (error) {
      // A machine without IPv6 is none the worse for it; somebody else's server there would get our visitors.
      const isTaken = (error as StartError).cause instanceof Deno.errors.AddrInUse;
      if (isTaken && settings.port !== 0) throw error;
    }
  }
  return {
    port,
    async close() {
      const timer = new Promise((resolve) => setTimeout(resolve, SHUTDOWN_MS));
      await Promise.race([Promise.all(servers.map((server) => server.shutdown())), timer]);
    },
  };
}

function serve(
  hostname: string,
  port: number,
  settings: Settings,
  handler: Deno.ServeHandler<Deno.NetAddr>,
): Deno.HttpServer<Deno.NetAddr> {
  try {
    return Deno.serve({ hostname, port, onListen: () => {} }, handler);
  } catch (cause) {
    throw listenFault(cause, port, settings.host);
  }
}

/** What to tell somebody whose port could not be opened. */
function listenFault(cause: unknown, port: number, host: string): Error {
  const line = (() => {
    if (cause instanceof Deno.errors.AddrInUse) {
      return `Port ${port} is taken: end what uses it, or choose another one, as in PORT=8081 npm start.`;
    }
    if (cause instanceof Deno.errors.PermissionDenied) {
      return `Port ${port} may not be opened by this user: choose one above 1023, as in PORT=8081 npm start.`;
    }
    return `HOST=${host} is not an address of this machine: leave it out for localhost, or use 0.0.0.0 for all.`;
  })();
  const isAboutListening =
    cause instanceof Deno.errors.AddrInUse ||
    cause instanceof Deno.errors.PermissionDenied ||
    cause instanceof Deno.errors.AddrNotAvailable ||
    /lookup address|not available|assign requested/.test(String(cause));
  if (isAboutListening) return new StartError(line, { cause });
  return cause instanceof Error ? cause : new Error(String(cause));
}
