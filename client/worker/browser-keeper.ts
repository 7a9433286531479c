/** A SessionKeeper of this browser: its WebTransport, its fetch, its clock. */
import {
  fetchJoin,
  type JoinQuestion,
  type JoinRequest,
} from "../../core/participant/joining/gateway-join.ts";
import { type KeeperEvents, SessionKeeper } from "../../core/participant/joining/session-keeper.ts";
import { connectBrowser } from "../session/browser-session.ts";
import type { JoinToken } from "./join-token.ts";
import { workerClock, workerRandom } from "./worker-clock.ts";

const CLIENT_NAME = "tributary-web/0.1";

export function browserKeeper(
  question: Omit<JoinQuestion, "token">,
  token: JoinToken,
  events: KeeperEvents,
): SessionKeeper {
  const request: JoinRequest<AbortSignal> = (url, init) => fetch(url, init);
  const ask = async () =>
    (await token.with((current) => fetchJoin(request, { ...question, token: current }))).relays;
  return new SessionKeeper(
    {
      clock: workerClock,
      random: workerRandom,
      connect: connectBrowser,
      ask,
      isOffline: () => navigator.onLine === false,
      client: CLIENT_NAME,
    },
    events,
  );
}
