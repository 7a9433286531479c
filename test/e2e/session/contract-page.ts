/** Runs in a page: the Session contract between the browser's session and the far end's. */

import { connectBrowser } from "../../../client/session/browser-session.ts";
import { connectFallback } from "../../../client/session/fallback-session.ts";
import { workerClock } from "../../../client/worker/worker-clock.ts";
import { sessionContract } from "../../../core/session/session.contract.ts";
import type { FarEvent } from "./far-end-messages.ts";
import { FarSession } from "./far-session.ts";

declare global {
  /** Opens the far end's events; call it first. */
  function listenToFarEnd(url: string, hash: string, over: "WebTransport" | "WebSocket"): Promise<void>;
  /** Rejects when the case fails. */
  function runContractCase(name: string): Promise<void>;
}

const far = new Map<number, FarSession>();
const waiting: ((session: FarSession) => void)[] = [];
let address = { url: "", hash: new Uint8Array() };
let connect = connectBrowser;

function receive(event: FarEvent): void {
  if (event.type !== "opened") return far.get(event.session)?.receive(event);
  const session = new FarSession(event);
  far.set(event.session, session);
  waiting.shift()?.(session);
}

async function readEvents(body: ReadableStream<Uint8Array>): Promise<void> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const lines = (text + decoder.decode(value, { stream: true })).split("\n");
    text = lines.pop() ?? "";
    for (const line of lines) if (line !== "") receive(JSON.parse(line) as FarEvent);
  }
}

globalThis.listenToFarEnd = async (url, hash, over) => {
  connect = over === "WebTransport" ? connectBrowser : connectFallback;
  address = { url, hash: Uint8Array.from(atob(hash), (char) => char.charCodeAt(0)) };
  const { body } = await fetch("/events");
  if (body === null) throw new Error("the far end sends no events");
  readEvents(body).catch(reportError);
};

globalThis.runContractCase = async (name) => {
  const found = sessionContract.find((one) => one.name === name);
  if (found === undefined) throw new Error(`there is no case "${name}"`);
  await found.run({
    clock: workerClock,
    connect: async () => {
      const accepted = new Promise<FarSession>((resolve) => waiting.push(resolve));
      const dialled = await connect(address.url, {
        certificateHashes: [address.hash],
        timeoutMs: 5_000,
      });
      return { dialled, accepted: await accepted };
    },
  });
};
