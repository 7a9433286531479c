/** A SessionKeeper of this browser: its WebTransport, its fetch, its clock. */
import { fetchJoin, type JoinQuestion } from "../../core/participant/joining/gateway-join.ts";
import { type KeeperEvents, SessionKeeper } from "../../core/participant/joining/session-keeper.ts";
import { connectBrowser } from "../session/browser-session.ts";
import { decodableCodecs } from "./picture-encodings.ts";
import { workerClock, workerRandom } from "./worker-clock.ts";

const CLIENT_NAME = "tributary-web/0.1";

export function browserKeeper(question: JoinQuestion, events: KeeperEvents): SessionKeeper {
  const ask = async () => (await fetchJoin<AbortSignal>((url, init) => fetch(url, init), question)).relays;
  return new SessionKeeper(
    {
      clock: workerClock,
      random: workerRandom,
      connect: connectBrowser,
      ask,
      client: CLIENT_NAME,
      decodes: decodableCodecs,
    },
    events,
  );
}
