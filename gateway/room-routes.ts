/** The room API for applications: what rooms there are, who is in them, and putting somebody out. */
import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { Directory, RelayRecord, RoomClaim } from "../core/directory/directory.ts";
import { type RemovedParticipant, type RoomDetail, roomSummarySchema } from "../core/wire/operations-api.ts";
import { identitySchema, participantInfoSchema, roomNameSchema } from "../core/wire/room-model.ts";
import type { Authorisation } from "./authorisation.ts";
import type { Log } from "./deps.ts";
import { problems } from "./problem.ts";
import { idsOf, missing, report } from "./relay-failures.ts";
import { askAll, type RelayCallError, type RelayOperations } from "./relay-operations.ts";

const MAX_LISTED_ROOMS = 10_000;
const DEFAULT_LISTED_ROOMS = 1_000;
const roomParams = z.object({ room: roomNameSchema });
const apiKeySecurity = [{ apiKey: [] }, { apiKeyBasic: [] }];

const unreachable = z
  .array(z.string())
  .openapi({ description: "Relays that did not answer: what they hold is missing here." });

const summarySchema = roomSummarySchema
  .extend({ relays: z.array(z.string()).openapi({ description: "Ids of the relays that hold the room." }) })
  .openapi("RoomSummary");

const listSchema = z
  .object({
    rooms: z.array(summarySchema),
    /** Give it as `after` for the next page. */
    next: roomNameSchema.optional(),
    unreachable,
  })
  .openapi("RoomList");

const detailSchema = summarySchema
  .extend({ members: z.array(participantInfoSchema), unreachable })
  .openapi("RoomDetail");

const listRoute = createRoute({
  method: "get",
  path: "/v1/rooms",
  summary: "List rooms",
  description:
    "Rooms with somebody in them, by name, whichever relays they are on. A relay that is down makes the list partial, not an error.",
  tags: ["rooms"],
  security: apiKeySecurity,
  request: {
    query: z.object({
      limit: z.coerce.number().int().min(1).max(MAX_LISTED_ROOMS).default(DEFAULT_LISTED_ROOMS),
      after: roomNameSchema.optional().openapi({ description: "Only rooms after this name." }),
    }),
  },
  responses: {
    200: { description: "The rooms", content: { "application/json": { schema: listSchema } } },
    ...problems(
      "invalid-request",
      "credentials-missing",
      "key-refused",
      "rate-limited",
      "directory-unavailable",
    ),
  },
});

const detailRoute = createRoute({
  method: "get",
  path: "/v1/rooms/{room}",
  summary: "Look into a room",
  tags: ["rooms"],
  security: apiKeySecurity,
  request: { params: roomParams },
  responses: {
    200: { description: "The room", content: { "application/json": { schema: detailSchema } } },
    ...problems(
      "invalid-request",
      "credentials-missing",
      "key-refused",
      "room-not-found",
      "rate-limited",
      "relay-unreachable",
      "directory-unavailable",
    ),
  },
});

const removedSchema = z
  .object({
    room: roomNameSchema,
    identity: identitySchema,
    bannedUntil: z.iso.datetime().openapi({ description: "When the join token that is banned now ends." }),
  })
  .openapi("Removed");

const removeRoute = createRoute({
  method: "delete",
  path: "/v1/rooms/{room}/participants/{identity}",
  summary: "Remove a participant",
  description:
    "Takes an API key, or a join token of an admin of this room. The removed token does not join again.",
  tags: ["rooms"],
  security: [...apiKeySecurity, { joinToken: [] }],
  request: { params: roomParams.extend({ identity: identitySchema }) },
  responses: {
    200: { description: "Removed", content: { "application/json": { schema: removedSchema } } },
    ...problems(
      "invalid-request",
      "credentials-missing",
      "key-refused",
      "token-malformed",
      "token-expired",
      "token-refused",
      "token-other-room",
      "admin-required",
      "removed",
      "participant-not-found",
      "rate-limited",
      "relay-unreachable",
      "keys-unavailable",
      "directory-unavailable",
    ),
  },
});

export interface RoomRoutesDeps {
  authorisation: Authorisation;
  directory: Directory;
  operations: RelayOperations;
  log: Log;
}

export function addRoomRoutes(app: OpenAPIHono, deps: RoomRoutesDeps): void {
  const { authorisation, directory, operations, log } = deps;

  app.openapi(listRoute, async (c) => {
    await authorisation.apiKey(c);
    const { limit, after } = c.req.valid("query");
    const { answers, failures } = await askAll(await directory.relays(), (r) => operations.rooms(r));
    report(log, failures);
    const byName = new Map<string, z.output<typeof summarySchema>>();
    for (const { relay, answer } of answers) {
      for (const summary of answer) {
        const before = byName.get(summary.room);
        byName.set(
          summary.room,
          before ? merged(before, summary, relay.id) : { ...summary, relays: [relay.id] },
        );
      }
    }
    const sorted = [...byName.values()]
      .filter(({ room }) => after === undefined || room > after)
      .sort((a, b) => (a.room < b.room ? -1 : 1));
    const rooms = sorted.slice(0, limit);
    const last = sorted.length > limit ? rooms.at(-1) : undefined;
    return c.json({ rooms, ...(last ? { next: last.room } : {}), unreachable: idsOf(failures) }, 200);
  });

  app.openapi(detailRoute, async (c) => {
    await authorisation.apiKey(c);
    const { room } = c.req.valid("param");
    const [relays, claim] = await Promise.all([directory.relays(), directory.room(room)]);
    const { answers, failures } = await askAll(rootFirst(relays, claim), (r) => operations.room(r, room));
    report(log, failures);
    const details = answers.map(({ answer }) => answer).filter((answer) => answer !== undefined);
    const [first, ...others] = details;
    if (!first)
      throw missing(failures, "room-not-found", `Nobody is in ${room}: it begins with the first join.`);
    const { relayId, ...rest } = first;
    let detail = { ...rest, relays: [relayId] };
    for (const other of others) detail = withMembers(detail, other);
    return c.json({ ...detail, unreachable: idsOf(failures) }, 200);
  });

  /** Any relay of the room can, wherever the participant is; the root is asked alone while it knows the participant. */
  async function remove(room: string, identity: string) {
    const [relays, claim] = await Promise.all([directory.relays(), directory.room(room)]);
    const isRoot = ({ id }: RelayRecord): boolean => id === claim?.relayId;
    const removed: RemovedParticipant[] = [];
    const failures: RelayCallError[] = [];
    for (const asked of [relays.filter(isRoot), relays.filter((relay) => !isRoot(relay))]) {
      const settled = await askAll(asked, (relay) => operations.remove(relay, room, identity));
      failures.push(...settled.failures);
      removed.push(...settled.answers.flatMap(({ answer }) => answer ?? []));
      if (removed.length > 0) break;
    }
    return { removed, failures };
  }

  app.openapi(removeRoute, async (c) => {
    const { room, identity } = c.req.valid("param");
    await authorisation.roomAdmin(c, room);
    const { removed, failures } = await remove(room, identity);
    report(log, failures);
    if (removed.length === 0) {
      throw missing(failures, "participant-not-found", `${identity} is not in ${room}.`);
    }
    let untilSeconds = 0;
    for (const { token, tokenExp } of removed) {
      await directory.ban({ room, token, untilSeconds: tokenExp });
      untilSeconds = Math.max(untilSeconds, tokenExp);
    }
    log("info", "participant removed", { room, identity });
    return c.json({ room, identity, bannedUntil: new Date(untilSeconds * 1000).toISOString() }, 200);
  });
}

/** The room's root, where one is known, before the others. */
function rootFirst(relays: readonly RelayRecord[], claim: RoomClaim | undefined): RelayRecord[] {
  const isRoot = ({ id }: RelayRecord): boolean => id === claim?.relayId;
  return [...relays.filter(isRoot), ...relays.filter((relay) => !isRoot(relay))];
}

/** Each relay of a room counts everybody in it, so the numbers are not to be added; one that has just come may not know all yet. */
function merged<Summary extends z.output<typeof summarySchema>>(
  before: Summary,
  other: z.output<typeof roomSummarySchema>,
  relayId: string,
): Summary {
  return {
    ...before,
    participants: Math.max(before.participants, other.participants),
    tracks: Math.max(before.tracks, other.tracks),
    createdAt: earlier(before.createdAt, other.createdAt),
    relays: [...before.relays, relayId],
  };
}

function earlier(a: string, b: string): string {
  return Date.parse(a) <= Date.parse(b) ? a : b;
}

/** The members that several relays tell of, each once; who comes first is believed. */
function withMembers<Detail extends Omit<z.output<typeof detailSchema>, "unreachable">>(
  before: Detail,
  other: RoomDetail,
): Detail {
  const known = new Set(before.members.map(({ identity }) => identity));
  const members = [...before.members, ...other.members.filter(({ identity }) => !known.has(identity))];
  return { ...merged(before, other, other.relayId), members, participants: members.length };
}
