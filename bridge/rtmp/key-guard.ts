/** Counts wrong stream keys by address, so that keys cannot be found by trying. */
import type { Clock } from "../../core/clock.ts";
import { KEY_WINDOW_MS, MAX_REMEMBERED_ADDRESSES, MAX_WRONG_KEYS } from "./limits.ts";

export class KeyGuard {
  readonly #clock: Clock;
  /** Times of the newest wrong keys, by address; the address that failed last is last. */
  readonly #failures = new Map<string, number[]>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  wrongKey(address: string): void {
    const recent = this.#recent(address);
    recent.push(this.#clock.nowUs());
    this.#failures.delete(address);
    this.#failures.set(address, recent.slice(-MAX_WRONG_KEYS));
    if (this.#failures.size > MAX_REMEMBERED_ADDRESSES) {
      const oldest = this.#failures.keys().next().value;
      if (oldest !== undefined) this.#failures.delete(oldest);
    }
  }

  isBlocked(address: string): boolean {
    const recent = this.#recent(address);
    if (recent.length === 0) this.#failures.delete(address);
    return recent.length >= MAX_WRONG_KEYS;
  }

  #recent(address: string): number[] {
    const since = this.#clock.nowUs() - KEY_WINDOW_MS * 1000;
    return (this.#failures.get(address) ?? []).filter((time) => time > since);
  }
}

/** What "address:port" counts as: the IPv4 address, or the /64 of IPv6, which one household has whole. */
export function guardedAddress(remoteAddress: string): string {
  const host = remoteAddress.slice(0, remoteAddress.lastIndexOf(":"));
  if (!host.startsWith("[")) return host;
  const [head = "", tail] = host.slice(1, -1).split("::");
  const groups = head === "" ? [] : head.split(":");
  const rest = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - groups.length - rest.length);
  const all = [...groups, ...Array.from({ length: zeros }, () => "0"), ...rest];
  return `${all.slice(0, 4).join(":")}::/64`;
}
