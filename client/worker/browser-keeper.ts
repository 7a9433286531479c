/** A SessionKeeper of this browser: its WebTransport, WebSockets where a network lets no UDP through, its fetch, its clock. */
import { fetchJoin, type JoinQuestion } from "../../core/participant/joining/gateway-join.ts";
import { RoadMemory } from "../../core/participant/joining/road-memory.ts";
import { racing } from "../../core/participant/joining/road-race.ts";
import { type KeeperEvents, SessionKeeper } from "../../core/participant/joining/session-keeper.ts";
import { connectBrowser } from "../session/browser-session.ts";
import { connectFallback } from "../session/fallback-session.ts";
import { workerClock, workerRandom } from "./worker-clock.ts";
import type { FromWorker, StartMessage } from "./worker-messages.ts";

const CLIENT_NAME = "tributary-web/0.1";

type Start = JoinQuestion & Pick<StartMessage, "network" | "blockedNetworks">;

export function browserKeeper(
  start: Start,
  post: (message: FromWorker) => void,
  events: KeeperEvents,
): SessionKeeper {
  const memory = new RoadMemory(workerClock, start.blockedNetworks, (blocked) =>
    post({ type: "blocked-networks", blocked }),
  );
  memory.network = start.network;
  const ask = async () => {
    const { relays, network } = await fetchJoin<AbortSignal>((url, init) => fetch(url, init), start);
    memory.network = network;
    return relays;
  };
  const clock = workerClock;
  const overUdp = connectBrowser;
  const connect = racing({ clock, overUdp, overTcp: connectFallback, memory });
  return new SessionKeeper(
    { clock, random: workerRandom, connect, overUdp, ask, client: CLIENT_NAME },
    events,
  );
}
