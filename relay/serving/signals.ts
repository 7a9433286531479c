/** SIGINT and SIGTERM as what they mean: "end, please", and "now", which is a second one. */

/** A terminal, npm and a supervisor may each pass the same wish on: a signal so soon after the first says nothing new. */
const SAME_WISH_MS = 500;

export type OnSignals = (first: () => void, again: () => void) => () => void;

/** How a runtime calls `hear` for each signal of a name. */
type Listen = (signal: "SIGINT" | "SIGTERM", hear: () => void) => unknown;

/** The first signal calls `first`, each later one `again`. Returns what does the same without a signal. */
export function onSignals(listen: Listen): OnSignals {
  return (first, again) => heard(listen, first, again);
}

function heard(listen: Listen, first: () => void, again: () => void): () => void {
  let firstMs: number | undefined;
  const hear = (): void => {
    if (firstMs === undefined) {
      firstMs = performance.now();
      first();
    } else if (performance.now() - firstMs > SAME_WISH_MS) again();
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) listen(signal, hear);
  return hear;
}
