/** A relay's operations API as an HTTP server inside the test; checks service tokens as a relay does. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createLocalJWKSet, type JWK, jwtVerify } from "jose";
import { serviceTokenSchema } from "../../core/wire/tokens.ts";

export interface PlayedRelay {
  operationsUrl: string;
  /** Who is in which room: "room/identity" -> the join token that brought them. */
  members: Map<string, { token: string; tokenExp: number }>;
  /** Calls refused because their service token was not right. */
  refused: number;
  close(): Promise<void>;
}

export async function playRelay(relayId: string, ticketKey: JWK): Promise<PlayedRelay> {
  const keys = createLocalJWKSet({ keys: [ticketKey] });
  const members: PlayedRelay["members"] = new Map();
  const relay = { members, refused: 0 };
  const createdAt = new Date(0).toISOString();

  const answer = (method: string, path: string): unknown => {
    const [, , , room = "", , identity = ""] = path.split("/").map(decodeURIComponent);
    const inside = [...members.keys()].filter((key) => room === "" || key.startsWith(`${room}/`));
    if (method === "DELETE") {
      const member = members.get(`${room}/${identity}`);
      members.delete(`${room}/${identity}`);
      return member && { identity, ...member };
    }
    const summary = (name: string) => ({
      room: name,
      participants: inside.filter((key) => key.startsWith(`${name}/`)).length,
      tracks: 0,
      createdAt,
    });
    if (room === "") return [...new Set(inside.map((key) => key.split("/")[0] ?? ""))].map(summary);
    if (inside.length === 0) return undefined;
    const list = inside.map((key) => ({ identity: key.split("/")[1], name: "x", admin: false, tracks: [] }));
    return { ...summary(room), relayId, members: list };
  };

  const server = createServer(async (request, response) => {
    try {
      const token = (request.headers.authorization ?? "").replace("Bearer ", "");
      const { payload } = await jwtVerify(token, keys, { audience: relayId, algorithms: ["ES256"] });
      serviceTokenSchema.parse(payload);
    } catch (error) {
      relay.refused += 1;
      response.writeHead(401).end(String(error));
      return;
    }
    const body = answer(request.method ?? "", request.url ?? "");
    if (body === undefined) response.writeHead(404).end();
    else response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return Object.assign(relay, {
    operationsUrl: `http://127.0.0.1:${port}/`,
    close: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  });
}
