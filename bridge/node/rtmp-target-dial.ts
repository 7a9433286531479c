/** How RTMP targets are found and connected to in Node and Deno: the system's resolver, and TCP or TLS to an address that was checked. */
import { lookup } from "node:dns/promises";
import type { Dial } from "../rtmp-out/target.ts";
import type { Resolve } from "../rtmp-out/target-address.ts";
import { connectTcp } from "./tcp.ts";

/** Every address of a host, as the system has it; rejects with a sentence when there is none. */
export const resolveHost: Resolve = async (host) => {
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address);
  } catch (cause) {
    throw new Error(`the name ${host} is not known.`, { cause });
  }
};

/** `ca`: root certificates to trust, PEM; the runtime's where nothing is said. */
export function dialTarget(ca?: string): Dial {
  return ({ address, port, serverName, timeoutMs }) =>
    connectTcp({
      host: address,
      port,
      timeoutMs,
      ...(serverName === undefined ? {} : { tls: { serverName, ...(ca === undefined ? {} : { ca }) } }),
    });
}
