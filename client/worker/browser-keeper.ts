/** A SessionKeeper of this browser: its WebTransport, WebSockets where a network lets no UDP through, its fetch, its clock. */
import {
  fetchJoin,
  type JoinQuestion,
  type JoinRequest,
} from "../../core/participant/joining/gateway-join.ts";
import { RoadMemory } from "../../core/participant/joining/road-memory.ts";
import { racing } from "../../core/participant/joining/road-race.ts";
import { type KeeperEvents, SessionKeeper } from "../../core/participant/joining/session-keeper.ts";
import { connectBrowser } from "../session/browser-session.ts";
import { connectFallback } from "../session/fallback-session.ts";
import type { JoinToken } from "./join-token.ts";
import { decodableCodecs } from "./picture-encodings.ts";
import { workerClock, workerRandom } from "./worker-clock.ts";
import type { FromWorker, StartMessage } from "./worker-messages.ts";

const CLIENT_NAME = "tributary-web/0.1";

type Start = Omit<JoinQuestion, "token"> & Pick<StartMessage, "network" | "blockedNetworks">;

export function browserKeeper(
  start: Start,
  token: JoinToken,
  post: (message: FromWorker) => void,
  events: Omit<KeeperEvents, "onRoad">,
): SessionKeeper {
  const clock = workerClock;
  const memory = new RoadMemory(clock, start.blockedNetworks, (blocked) =>
    post({ type: "blocked-networks", blocked }),
  );
  memory.network = start.network;
  const request: JoinRequest<AbortSignal> = (url, init) => fetch(url, init);
  const ask = async () => {
    const answer = await token.with((current) => fetchJoin(request, { ...start, token: current }));
    memory.network = answer.network;
    return answer.relays;
  };
  return new SessionKeeper(
    {
      clock,
      random: workerRandom,
      connect: racing({ clock, overUdp: connectBrowser, overTcp: connectFallback, memory }),
      overUdp: connectBrowser,
      ask,
      isOffline: () => navigator.onLine === false,
      client: CLIENT_NAME,
      decodes: decodableCodecs,
    },
    {
      ...events,
      onRoad: (isOverTcp) => post({ type: "transport", transport: isOverTcp ? "websocket" : "webtransport" }),
    },
  );
}
