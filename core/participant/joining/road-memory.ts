/** Networks that were seen to let no UDP through, for a while: there the race does not wait for it (road-race.ts). */
import type { Clock } from "../../clock.ts";

/** Networks change: after this long nothing is taken for granted. */
const REMEMBERED_US = 30 * 60 * 1_000_000;
/** The oldest is forgotten above it. */
const MAX_NETWORKS = 16;

/** Network to the time that it is remembered until, microseconds of the wall clock. */
export type BlockedNetworks = Record<string, number>;

export class RoadMemory {
  /** Name of the network that we are in, as the gateway tells it; "" = not known. */
  network = "";
  readonly #clock: Clock;
  readonly #untilUs: Map<string, number>;
  readonly #onChange: (blocked: BlockedNetworks) => void;

  /** `clock` must go on counting from one page to the next; `onChange` is told what to hand in next time. */
  constructor(
    clock: Clock,
    blocked: BlockedNetworks = {},
    onChange: (blocked: BlockedNetworks) => void = () => undefined,
  ) {
    this.#clock = clock;
    this.#untilUs = new Map(Object.entries(blocked));
    this.#onChange = onChange;
  }

  get isUdpBlocked(): boolean {
    return (this.#untilUs.get(this.network) ?? 0) > this.#clock.nowUs();
  }

  /** A session over UDP was opened in this network, or one over TCP sooner. */
  noteUdp(works: boolean): void {
    if (works && !this.#untilUs.has(this.network)) return;
    this.#untilUs.delete(this.network);
    if (!works) this.#untilUs.set(this.network, this.#clock.nowUs() + REMEMBERED_US);
    for (const network of this.#untilUs.keys()) {
      if (this.#untilUs.size <= MAX_NETWORKS) break;
      this.#untilUs.delete(network);
    }
    this.#onChange(Object.fromEntries(this.#untilUs));
  }
}
