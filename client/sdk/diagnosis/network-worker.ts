/** The worker that measures the network, so that what the page draws meanwhile is not measured with it. */
import { CheckBoard } from "../../../core/participant/diagnosis/check-board.ts";
import { checkNetwork } from "../../../core/participant/diagnosis/network-checks.ts";
import { connectBrowser } from "../../session/browser-session.ts";
import { connectFallback } from "../../session/fallback-session.ts";
import { workerClock, workerRandom } from "../../worker/worker-clock.ts";
import type { FromNetworkWorker, NetworkQuestion } from "./network-messages.ts";

const post = (message: FromNetworkWorker): void => globalThis.postMessage(message);

globalThis.addEventListener("message", (event: MessageEvent<NetworkQuestion>) => void run(event.data), {
  once: true,
});

async function run({ question, client, hasWebTransport }: NetworkQuestion): Promise<void> {
  const board = new CheckBoard((changed) => {
    const { id, ...finding } = board.get(changed);
    post({ type: "finding", id, finding });
  });
  const findings = await checkNetwork<AbortSignal>(board, {
    question,
    request: (url, init) => fetch(url, init),
    connect: hasWebTransport ? connectBrowser : undefined,
    connectFallback,
    clock: workerClock,
    random: workerRandom,
    client,
    onProgress: (share, timeline) => post({ type: "progress", share, timeline }),
  });
  post({ type: "done", findings });
}
