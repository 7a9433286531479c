/** Writes metrics in the Prometheus text format 0.0.4. */
import type { Histogram } from "./histogram.ts";

type Labels = Readonly<Record<string, string>>;
type Series<Value> = Iterable<readonly [Labels, Value]>;

/** Quantiles of the last while, beside everything since the start. */
export interface Summary {
  /** By quantile, 0 to 1. */
  quantiles: Readonly<Record<string, number>>;
  sum: number;
  count: number;
}

export class MetricsText {
  readonly #lines: string[] = [];

  counter(name: string, help: string, value: number): void {
    this.counters(name, help, [[{}, value]]);
  }

  gauge(name: string, help: string, value: number): void {
    this.gauges(name, help, [[{}, value]]);
  }

  /** One gauge with several series. */
  gauges(name: string, help: string, series: Series<number>): void {
    this.#head("gauge", name, help);
    for (const [labels, value] of series) this.#line(name, labels, value);
  }

  /** One counter with several series. */
  counters(name: string, help: string, series: Series<number>): void {
    this.#head("counter", name, help);
    for (const [labels, value] of series) this.#line(name, labels, value);
  }

  histograms(name: string, help: string, series: Series<Histogram>): void {
    this.#head("histogram", name, help);
    for (const [labels, { bounds, counts, sum, count }] of series) {
      let below = 0;
      bounds.forEach((bound, bucket) => {
        below += counts[bucket]!;
        this.#line(`${name}_bucket`, { ...labels, le: String(bound) }, below);
      });
      this.#line(`${name}_bucket`, { ...labels, le: "+Inf" }, count);
      this.#line(`${name}_sum`, labels, sum);
      this.#line(`${name}_count`, labels, count);
    }
  }

  summary(name: string, help: string, { quantiles, sum, count }: Summary): void {
    this.#head("summary", name, help);
    for (const [quantile, value] of Object.entries(quantiles)) this.#line(name, { quantile }, value);
    this.#line(`${name}_sum`, {}, sum);
    this.#line(`${name}_count`, {}, count);
  }

  #head(type: string, name: string, help: string): void {
    this.#lines.push(`# HELP ${name} ${help.replace(/\\/g, "\\\\").replace(/\n/g, "\\n")}`);
    this.#lines.push(`# TYPE ${name} ${type}`);
  }

  #line(name: string, labels: Labels, value: number): void {
    this.#lines.push(`${name}${labelText(labels)} ${value}`);
  }

  toString(): string {
    return `${this.#lines.join("\n")}\n`;
  }
}

/** A series for each entry: `name{label="reason"} value`. */
export function seriesBy(
  label: string,
  values: Readonly<Record<string, number>>,
  further: Labels = {},
): [Labels, number][] {
  return Object.entries(values).map(([reason, value]) => [{ ...further, [label]: reason }, value]);
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => {
    const escaped = value.replace(/\\/g, "\\\\").replace(/"/g, '\\"').replace(/\n/g, "\\n");
    return `${name}="${escaped}"`;
  });
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}
