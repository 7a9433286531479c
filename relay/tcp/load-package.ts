/** Loads @fails-components/webtransport, without what it prints where its native part is not installed: that is how it is most of the time. */
import type { WebTransportPackage } from "./package-objects.ts";

const ABOUT_NATIVE_PART = /^(Problem loading http3-quiche|Did you install @fails-components|http3 loader:)/;

let loading: Promise<WebTransportPackage> | undefined;

export function loadPackage(): Promise<WebTransportPackage> {
  loading ??= load();
  return loading;
}

async function load(): Promise<WebTransportPackage> {
  const { log, error } = console;
  const without =
    (print: typeof log): typeof log =>
    (...values) => {
      if (!ABOUT_NATIVE_PART.test(String(values[0]))) print(...values);
    };
  Object.assign(console, { log: without(log), error: without(error) });
  try {
    const loaded: unknown = await import("@fails-components/webtransport");
    const found = loaded as WebTransportPackage;
    await found.quicheLoaded;
    return found;
  } finally {
    Object.assign(console, { log, error });
  }
}
