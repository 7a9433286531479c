/**
 * Where a caller is: what it says itself, or what Cloudflare's edge knows of its address (`request.cf`, on Workers only), by the
 * operator's map from places to regions of relays. docs/gateway.md, "Settings".
 */
import type { Context } from "hono";
import { MAX_REGION_CHARS } from "./limits.ts";

/** Region by place: "colo FRA", "country DE", "continent EU". */
export type RegionMap = ReadonlyMap<string, string>;

const CONTINENTS = new Set(["AF", "AN", "AS", "EU", "NA", "OC", "SA"]);
/** Countries whose code is a continent's too are written with the word in front: `country-NA` is Namibia. */
const PLACE = /^(?:country-([A-Z][A-Z0-9])|([A-Z][A-Z0-9])|([A-Z]{3}))$/;

/** The key of a place in a RegionMap, undefined when it is none. */
export function placeKey(text: string): string | undefined {
  const [, country, either, colo] = PLACE.exec(text) ?? [];
  if (colo !== undefined) return `colo ${colo}`;
  if (country !== undefined) return `country ${country}`;
  if (either === undefined) return undefined;
  return CONTINENTS.has(either) ? `continent ${either}` : `country ${either}`;
}

/** The narrowest place of the map counts. `told`: of the query. */
export function callerRegion(c: Context, told: string | undefined, map: RegionMap): string | undefined {
  const said = told || c.req.header("x-tributary-region")?.slice(0, MAX_REGION_CHARS);
  if (said || map.size === 0) return said || undefined;
  const { cf } = c.req.raw as { cf?: Record<string, unknown> };
  for (const kind of ["colo", "country", "continent"]) {
    const region = map.get(`${kind} ${String(cf?.[kind])}`);
    if (region !== undefined) return region;
  }
  return undefined;
}
