/** What a browser says of its network while a call goes on: signs that another one may be in use, in a page and in a worker. */

/** `change` also comes when no more than an estimate of the speed has changed: not more often than this it counts. */
const CHANGE_PAUSE_MS = 5_000;

/** NetworkInformation (W3C draft), where the browser has it. */
interface NetworkInformation extends EventTarget {
  readonly type?: string;
}

/** Calls `onSign` for each sign; the answer ends it. */
export function watchNetwork(onSign: () => void): () => void {
  const connection = (navigator as { connection?: NetworkInformation }).connection;
  let type = connection?.type;
  let nextMs = 0;
  const onChange = (): void => {
    const isOther = connection?.type !== type;
    type = connection?.type;
    if (!isOther && performance.now() < nextMs) return;
    nextMs = performance.now() + CHANGE_PAUSE_MS;
    onSign();
  };
  globalThis.addEventListener("online", onSign);
  globalThis.addEventListener("offline", onSign);
  connection?.addEventListener("change", onChange);
  return () => {
    globalThis.removeEventListener("online", onSign);
    globalThis.removeEventListener("offline", onSign);
    connection?.removeEventListener("change", onChange);
  };
}
