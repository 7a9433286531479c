/** The bad road between two pages: UDP proxies with one set of conditions, which can be cut and mended. */
import type { ImpairmentOptions } from "../../test/udp-proxy/impairment.ts";
import { UdpProxy } from "../../test/udp-proxy/udp-proxy.ts";

const DIRECTIONS = ["up", "down"] as const;

export class Road {
  readonly #impairment: Partial<ImpairmentOptions>;
  readonly #seed: number;
  readonly #proxies: UdpProxy[] = [];

  constructor(impairment: Partial<ImpairmentOptions>, seed: number) {
    this.#impairment = impairment;
    this.#seed = seed;
  }

  /** Begins a road to a UDP address of this machine; resolves to the port on 127.0.0.1 where it begins. */
  async open(targetPort: number, targetAddress = "127.0.0.1"): Promise<number> {
    const { length } = this.#proxies;
    const proxy = await UdpProxy.listen({
      port: 0,
      targetPort,
      targetAddress,
      up: this.#impairment,
      down: this.#impairment,
      seed: this.#seed + 2 * length,
    });
    this.#proxies.push(proxy);
    return proxy.port;
  }

  /** From now on nothing passes. */
  cut(): void {
    this.#change({ loss: 1, burstMs: 0 });
  }

  mend(): void {
    this.#change({ loss: this.#impairment.loss ?? 0, burstMs: this.#impairment.burstMs ?? 0 });
  }

  /** How long a datagram of now would wait for the bottleneck, in the slower direction. */
  queuedMs(): number {
    const queues = this.#proxies.flatMap((proxy) => DIRECTIONS.map((direction) => proxy.queuedMs(direction)));
    return Math.max(0, ...queues);
  }

  /** Datagrams that went through, and that were lost, both ways. */
  counts(): { forwarded: number; lost: number } {
    const sum = { forwarded: 0, lost: 0 };
    for (const { counters } of this.#proxies) {
      for (const direction of DIRECTIONS) {
        const { forwarded, random, burst, "queue-full": full } = counters[direction];
        sum.forwarded += forwarded;
        sum.lost += random + burst + full;
      }
    }
    return sum;
  }

  async close(): Promise<void> {
    await Promise.all(this.#proxies.map((proxy) => proxy.close()));
  }

  #change(options: Partial<ImpairmentOptions>): void {
    for (const proxy of this.#proxies) {
      for (const direction of DIRECTIONS) proxy.change(direction, options);
    }
  }
}
