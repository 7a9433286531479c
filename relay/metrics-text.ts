/** Writes metrics in the Prometheus text format 0.0.4. */

type Labels = Readonly<Record<string, string>>;

export class MetricsText {
  readonly #lines: string[] = [];

  counter(name: string, help: string, value: number, labels: Labels = {}): void {
    this.#metric("counter", name, help, [[labels, value]]);
  }

  gauge(name: string, help: string, value: number, labels: Labels = {}): void {
    this.#metric("gauge", name, help, [[labels, value]]);
  }

  /** One counter with a series per reason: `name{label="reason"} value`. */
  counters(name: string, help: string, label: string, values: Readonly<Record<string, number>>): void {
    const series = Object.entries(values).map(([reason, value]) => [{ [label]: reason }, value] as const);
    this.#metric("counter", name, help, series);
  }

  #metric(type: string, name: string, help: string, series: readonly (readonly [Labels, number])[]): void {
    this.#lines.push(`# HELP ${name} ${help.replace(/\\/g, "\\\\").replace(/\n/g, "\\n")}`);
    this.#lines.push(`# TYPE ${name} ${type}`);
    for (const [labels, value] of series) this.#lines.push(`${name}${labelText(labels)} ${value}`);
  }

  toString(): string {
    return `${this.#lines.join("\n")}\n`;
  }
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => {
    const escaped = value.replace(/\\/g, "\\\\").replace(/"/g, '\\"').replace(/\n/g, "\\n");
    return `${name}="${escaped}"`;
  });
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}
