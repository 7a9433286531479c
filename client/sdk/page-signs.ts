/**
 * Tells the worker, which cannot see it, what happens to the page: it is looked at again, was frozen, or comes back from the browser's
 * memory of left pages. Each time the network may be another one.
 */
import { watchNetwork } from "../session/network-signs.ts";

/** Calls `onSign` for each; the answer ends it. */
export function watchPage(onSign: () => void): () => void {
  const endNetwork = watchNetwork(onSign);
  const onVisibility = (): void => {
    if (document.visibilityState === "visible") onSign();
  };
  const onShow = ({ persisted }: PageTransitionEvent): void => {
    if (persisted) onSign();
  };
  document.addEventListener("visibilitychange", onVisibility);
  document.addEventListener("resume", onSign);
  globalThis.addEventListener("pageshow", onShow);
  return () => {
    endNetwork();
    document.removeEventListener("visibilitychange", onVisibility);
    document.removeEventListener("resume", onSign);
    globalThis.removeEventListener("pageshow", onShow);
  };
}
