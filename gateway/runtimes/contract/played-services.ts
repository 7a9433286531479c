/** What a gateway talks to, as HTTP servers inside the test: a relay, a bridge, the application, a server of public keys. */
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { createLocalJWKSet, type JWK, jwtVerify } from "jose";
import type { RecordingInfo } from "../../../core/wire/bridge-jobs.ts";
import type { TreePlace } from "../../../core/wire/operations-api.ts";
import { serviceTokenSchema } from "../../../core/wire/tokens.ts";

export interface PlayedService {
  /** Base URL, with a slash at the end. */
  url: string;
  close(): Promise<void>;
}

interface Answer {
  status?: number;
  body?: unknown;
}

/** `answer` undefined: 404. */
async function play(
  answer: (request: IncomingMessage, body: string) => Promise<Answer | undefined> | Answer | undefined,
): Promise<PlayedService> {
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += String(chunk);
    const { status = 200, body: json = {} } = (await answer(request, body)) ?? { status: 404 };
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(json));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

/** An operations API: checks service tokens as relays and bridges do. */
async function playOperations(
  options: { id: string; scope: "rooms" | "recordings"; ticketKey: JWK },
  answer: (method: string, path: string[]) => Answer | undefined,
): Promise<PlayedService & { refused: number }> {
  const keys = createLocalJWKSet({ keys: [options.ticketKey] });
  const state = { refused: 0 };
  const service = await play(async (request) => {
    const { method = "", url = "", headers } = request;
    try {
      const token = (headers.authorization ?? "").replace("Bearer ", "");
      const { payload } = await jwtVerify(token, keys, { audience: options.id, algorithms: ["ES256"] });
      if (serviceTokenSchema.parse(payload).scope !== options.scope) throw new Error("another scope");
    } catch {
      state.refused += 1;
      return { status: 401 };
    }
    const { pathname } = new URL(url, "http://x/");
    return answer(method, pathname.split("/").slice(2).map(decodeURIComponent));
  });
  return Object.assign(state, service);
}

export interface PlayedRelay extends PlayedService {
  /** Who is in which room: "room/identity" -> the join token that brought them. */
  members: Map<string, { token: string; tokenExp: number }>;
  /** Calls refused because their service token was not right. */
  readonly refused: number;
}

export async function playRelay(relayId: string, ticketKey: JWK): Promise<PlayedRelay> {
  const members: PlayedRelay["members"] = new Map();
  const createdAt = new Date(0).toISOString();
  const service = await playOperations({ id: relayId, scope: "rooms", ticketKey }, (method, path) => {
    const [, room = "", what = "", identity = ""] = path;
    const inside = [...members.keys()].filter((key) => room === "" || key.startsWith(`${room}/`));
    if (method === "DELETE") {
      const member = members.get(`${room}/${identity}`);
      members.delete(`${room}/${identity}`);
      return member && { body: { identity, ...member } };
    }
    const summary = (name: string) => ({
      room: name,
      participants: inside.filter((key) => key.startsWith(`${name}/`)).length,
      tracks: 0,
      createdAt,
    });
    if (room === "") return { body: [...new Set(inside.map((key) => key.split("/")[0] ?? ""))].map(summary) };
    if (inside.length === 0) return undefined;
    if (what === "tree") return { body: rootAlone(relayId, room, inside.length) };
    const list = inside.map((key) => ({ identity: key.split("/")[1], name: "x", admin: false, tracks: [] }));
    return { body: { ...summary(room), relayId, members: list } };
  });
  return Object.assign(service, { members });
}

function rootAlone(relayId: string, room: string, participantsHere: number): TreePlace {
  return {
    room,
    relayId,
    region: "eu",
    root: true,
    provisional: false,
    epoch: 1,
    path: [relayId],
    children: [],
    participantsHere,
    participantsElsewhere: 0,
    tracks: 0,
  };
}

export interface PlayedBridge extends PlayedService {
  recordings: Map<string, RecordingInfo>;
  readonly refused: number;
}

export async function playBridge(bridgeId: string, ticketKey: JWK): Promise<PlayedBridge> {
  const recordings: PlayedBridge["recordings"] = new Map();
  const service = await playOperations({ id: bridgeId, scope: "recordings", ticketKey }, (method, path) => {
    const [, id] = path;
    if (id === undefined) return { body: { recordings: [...recordings.values()], more: false } };
    const found = recordings.get(id);
    if (method === "DELETE" && found?.state === "recording") return { status: 409 };
    if (method === "DELETE") recordings.delete(id);
    return found && { body: found };
  });
  return Object.assign(service, { recordings });
}

export interface PlayedApplication extends PlayedService {
  /** What it was told, in order. */
  told: { signature: string; body: string }[];
  /** Status of its answers from now on. */
  status: number;
}

export async function playApplication(): Promise<PlayedApplication> {
  const state: Pick<PlayedApplication, "told" | "status"> = { told: [], status: 204 };
  const service = await play(({ headers }, body) => {
    state.told.push({ signature: String(headers["tributary-signature"]), body });
    return { status: state.status };
  });
  return Object.assign(state, service);
}

/** An etcd whose gateway may be called at these paths only, as a proxy in front of it would have it. */
export async function playEtcdDoor(
  etcdUrl: string,
  paths: readonly string[],
): Promise<PlayedService & { refused: string[] }> {
  const refused: string[] = [];
  const service = await play(async ({ method = "", url = "" }, body) => {
    if (method === "POST" && paths.includes(url)) {
      const answer = await fetch(etcdUrl + url, { method, body });
      return { status: answer.status, body: await answer.json() };
    }
    refused.push(`${method} ${url}`);
    return { status: 403 };
  });
  return Object.assign(service, { refused });
}

export function playKeyServer(keys: JWK[]): Promise<PlayedService> {
  return play(() => ({ body: { keys } }));
}
