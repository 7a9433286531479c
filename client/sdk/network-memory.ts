/** Which networks were seen to let no UDP through, kept by the browser from page to page (core/participant/joining/road-memory.ts). */
import { z } from "zod";
import type { BlockedNetworks } from "../../core/participant/joining/road-memory.ts";

const KEY = "tributary.networks-without-udp";
const storedSchema = z.record(z.string(), z.number());

/** What was stored, or nothing where a browser keeps nothing for us, or something else. */
export function loadBlockedNetworks(): BlockedNetworks {
  try {
    return storedSchema.parse(JSON.parse(globalThis.localStorage.getItem(KEY) ?? "{}"));
  } catch {
    return {};
  }
}

export function saveBlockedNetworks(blocked: BlockedNetworks): void {
  try {
    globalThis.localStorage.setItem(KEY, JSON.stringify(blocked));
  } catch {
    // A browser that keeps nothing for us waits half a second the next time.
  }
}
