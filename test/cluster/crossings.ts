/**
 * The roads between regions: for each relay a UDP proxy in each other region, with the delay between the two. Relays there dial
 * it in place of the relay (RELAY_ROUTES); relays of the same region and browsers do not.
 */
import { UdpProxy } from "../udp-proxy/udp-proxy.ts";
import { type Place, REGIONS, type Region, roundTripMs } from "./regions.ts";

/** A relay that has its port already. */
export interface PortedPlace extends Place {
  port: number;
}

export interface CrossingOptions {
  /** Share lost each way, 0 to 1. */
  loss: number;
  /** Of all pairs of regions; undefined: as far as they are apart. */
  rttMs: number | undefined;
}

export function originOf(port: number): string {
  return `https://127.0.0.1:${port}`;
}

export class Crossings {
  readonly #proxies: UdpProxy[] = [];
  /** By region of whoever dials. */
  readonly #routes = new Map<Region, Record<string, string>>(REGIONS.map((region) => [region, {}]));

  static async open(relays: readonly PortedPlace[], options: CrossingOptions): Promise<Crossings> {
    const crossings = new Crossings();
    for (const relay of relays) {
      for (const region of REGIONS) if (region !== relay.region) await crossings.#add(region, relay, options);
    }
    return crossings;
  }

  async #add(from: Region, relay: PortedPlace, { loss, rttMs }: CrossingOptions): Promise<void> {
    const road = { loss, delayMs: (rttMs ?? roundTripMs(from, relay.region)) / 2 };
    const seed = this.#proxies.length + 1;
    const proxy = await UdpProxy.listen({ port: 0, targetPort: relay.port, up: road, down: road, seed });
    this.#proxies.push(proxy);
    this.#routes.get(from)![originOf(relay.port)] = originOf(proxy.port);
  }

  /** RELAY_ROUTES of relays in this region. */
  routesFrom(region: Region): string {
    return JSON.stringify(this.#routes.get(region));
  }

  /** Datagrams that went over all of them. */
  get forwarded(): number {
    return this.#proxies.reduce((sum, { counters: { up, down } }) => sum + up.forwarded + down.forwarded, 0);
  }

  async close(): Promise<void> {
    await Promise.all(this.#proxies.map((proxy) => proxy.close()));
  }
}
