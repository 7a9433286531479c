/**
 * Other relays dialled at another address than the one they tell browsers: RELAY_ROUTES. For relays that share a private network
 * or a container host; the cluster on one machine (test/cluster) puts its made-up distances there.
 */
import type { Connect } from "../../core/session/session.ts";
import { RelayStartError } from "./start-error.ts";

/** Origin that is told -> origin that is dialled. */
export type Routes = ReadonlyMap<string, string>;

const ADVICE =
  'give a JSON object of https origins, e.g. {"https://relay2.example.org:4433": "https://10.0.0.2:4433"}';

/** Throws RelayStartError. */
export function readRoutes(text: string | undefined): Routes {
  if (text === undefined) return new Map();
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new RelayStartError(`RELAY_ROUTES is not JSON: ${ADVICE}.`, { cause });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new RelayStartError(`RELAY_ROUTES is no object: ${ADVICE}.`);
  const entries = Object.entries(value);
  return new Map(entries.map(([told, dialled]): [string, string] => [originOf(told), originOf(dialled)]));
}

function originOf(value: unknown): string {
  const url = typeof value === "string" && URL.canParse(value) ? new URL(value) : undefined;
  if (url?.protocol === "https:" && url.pathname === "/" && url.search === "") return url.origin;
  throw new RelayStartError(`RELAY_ROUTES has ${JSON.stringify(value)}, which is no origin: ${ADVICE}.`);
}

/** The same, by way of the routes. */
export function routed(connect: Connect, routes: Routes): Connect {
  if (routes.size === 0) return connect;
  const route = (told: string): string => {
    if (told === "") return told;
    const url = new URL(told);
    return (routes.get(url.origin) ?? url.origin) + url.pathname + url.search;
  };
  return (told, options) =>
    connect(route(told), { ...options, fallbackUrl: route(options.fallbackUrl ?? "") });
}
