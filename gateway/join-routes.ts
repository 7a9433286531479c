/** Ways into a room: minting a join token, guests, and join itself, which ends in a relay ticket. */
import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { Clock } from "../core/clock.ts";
import { MAX_JOIN_TOKEN_SECONDS, RELAY_TICKET_SECONDS } from "../core/wire/limits.ts";
import { displayNameSchema, grantsSchema, identitySchema, roomNameSchema } from "../core/wire/room-model.ts";
import type { JoinToken } from "../core/wire/tokens.ts";
import type { Authorisation } from "./authorisation.ts";
import { type CallerBucket, networkName } from "./client-address.ts";
import { callerRegion, type RegionMap } from "./caller-region.ts";
import type { JoinLookups } from "./join-lookups.ts";
import { mintJoinToken } from "./join-tokens.ts";
import { MAX_JOIN_CANDIDATES, MAX_REGION_CHARS } from "./limits.ts";
import { ProblemError, problems } from "./problem.ts";
import { chooseRelays } from "./relay-choice.ts";
import { signTicket, type TicketKey } from "./ticket-key.ts";

const DEFAULT_JOIN_TOKEN_SECONDS = 3600;
const GUEST_TOKEN_SECONDS = 12 * 3600;
const NO_RELAY_RETRY_SECONDS = 5;
/** No 0/o, 1/l/i: guests read their identity out to one another. */
const GUEST_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz";
const GUEST_CHARS = 8;

const roomParams = z.object({ room: roomNameSchema });
const apiKeySecurity = [{ apiKey: [] }, { apiKeyBasic: [] }];

const mintedSchema = z
  .object({ token: z.string(), identity: identitySchema, room: roomNameSchema, expiresAt: z.iso.datetime() })
  .openapi("MintedToken");

const mintRoute = createRoute({
  method: "post",
  path: "/v1/rooms/{room}/tokens",
  summary: "Mint a join token",
  description: "For applications that would rather not sign tokens themselves.",
  tags: ["tokens"],
  security: apiKeySecurity,
  request: {
    params: roomParams,
    body: {
      required: true,
      content: {
        "application/json": {
          schema: z
            .object({
              identity: identitySchema,
              name: displayNameSchema.optional(),
              grants: grantsSchema.prefault({}),
              ttlSeconds: z
                .number()
                .int()
                .min(1)
                .max(MAX_JOIN_TOKEN_SECONDS)
                .default(DEFAULT_JOIN_TOKEN_SECONDS),
            })
            .openapi("TokenRequest"),
        },
      },
    },
  },
  responses: {
    200: { description: "The token", content: { "application/json": { schema: mintedSchema } } },
    ...problems(
      "invalid-request",
      "malformed-json",
      "credentials-missing",
      "key-refused",
      "body-too-large",
      "not-json",
      "rate-limited",
    ),
  },
});

const guestRoute = createRoute({
  method: "post",
  path: "/v1/rooms/{room}/guests",
  summary: "Get a join token as a guest",
  description:
    "Only where the gateway takes guests (`npm start`). A guest may publish, subscribe and chat; nobody is admin.",
  tags: ["tokens"],
  request: {
    params: roomParams,
    body: {
      required: true,
      content: {
        "application/json": { schema: z.object({ name: displayNameSchema }).openapi("GuestRequest") },
      },
    },
  },
  responses: {
    200: { description: "The token", content: { "application/json": { schema: mintedSchema } } },
    ...problems(
      "invalid-request",
      "malformed-json",
      "guests-off",
      "body-too-large",
      "not-json",
      "rate-limited",
    ),
  },
});

const joinedSchema = z
  .object({
    room: roomNameSchema,
    identity: identitySchema,
    name: displayNameSchema,
    grants: grantsSchema,
    relays: z
      .array(
        z.object({
          relayId: z.string(),
          url: z.string().openapi({ description: "WebTransport URL to dial; empty where it has no UDP." }),
          fallbackUrl: z.string().openapi({
            description: "The same over TCP, for networks without UDP; empty where there is none.",
          }),
          certificateHashes: z.array(z.string()).openapi({
            description: "Base64 SHA-256, for serverCertificateHashes; empty for a real certificate.",
          }),
          ticket: z
            .string()
            .openapi({ description: "For the first control message to this relay; used once." }),
        }),
      )
      .min(1)
      .max(MAX_JOIN_CANDIDATES)
      .openapi({
        description:
          "In the order to try; all lead into the room. Keep the others for the case that the first one is lost: the last is in another region where there is one.",
      }),
    expiresAt: z.iso.datetime().openapi({ description: "When the tickets end: join again after that." }),
    network: z.string().openapi({
      description:
        "Names the network that the request came from, the same each time, for what a client remembers of networks; empty where it is not known.",
    }),
  })
  .openapi("Joined");

const joinRoute = createRoute({
  method: "post",
  path: "/v1/rooms/{room}/join",
  summary: "Join a room",
  description:
    "Finds relays for the room, the caller's region first, and makes a ticket for each. Every reconnect joins again.",
  tags: ["tokens"],
  security: [{ joinToken: [] }],
  request: {
    params: roomParams,
    query: z.object({
      region: z.string().max(MAX_REGION_CHARS).optional().openapi({
        description:
          "Preferred region; the header x-tributary-region says the same. Without either a gateway on Workers goes by the caller's place.",
      }),
    }),
  },
  responses: {
    200: {
      description: "Where to go, and the ticket",
      content: { "application/json": { schema: joinedSchema } },
    },
    ...problems(
      "invalid-request",
      "credentials-missing",
      "token-malformed",
      "token-expired",
      "token-refused",
      "token-other-room",
      "removed",
      "rate-limited",
      "no-relay",
      "keys-unavailable",
      "directory-unavailable",
    ),
  },
});

export interface JoinRoutesDeps {
  authorisation: Authorisation;
  lookups: JoinLookups;
  clock: Clock;
  ticketKey: TicketKey;
  apiKeys: ReadonlyMap<string, string>;
  /** Key that guests' tokens are signed with; undefined: no guests. */
  guestKey: { id: string; secret: string } | undefined;
  regions: RegionMap;
  bucketOf: CallerBucket;
}

export function addJoinRoutes(app: OpenAPIHono, deps: JoinRoutesDeps): void {
  const nowSeconds = (): number => Math.floor(deps.clock.nowUs() / 1_000_000);

  async function mint(secret: string, claims: Omit<JoinToken, "exp" | "iat" | "jti">, ttlSeconds: number) {
    const iat = nowSeconds();
    const exp = iat + ttlSeconds;
    const token = await mintJoinToken(secret, { ...claims, iat, exp, jti: crypto.randomUUID() });
    return { token, identity: claims.sub, room: claims.room, expiresAt: isoTime(exp) };
  }

  app.openapi(mintRoute, async (c) => {
    const keyId = await deps.authorisation.apiKey(c);
    const { room } = c.req.valid("param");
    const { identity, name, grants, ttlSeconds } = c.req.valid("json");
    const claims = { iss: keyId, sub: identity, room, grants, ...(name ? { name } : {}) };
    c.header("cache-control", "no-store");
    return c.json(await mint(deps.apiKeys.get(keyId) ?? "", claims, ttlSeconds), 200);
  });

  app.openapi(guestRoute, async (c) => {
    if (!deps.guestKey) {
      throw new ProblemError(
        "guests-off",
        "This gateway takes no guests: ask the application for a join token.",
      );
    }
    const { room } = c.req.valid("param");
    const { name } = c.req.valid("json");
    const grants = grantsSchema.parse({ publish: ["microphone", "camera", "screen"] });
    const claims = { iss: deps.guestKey.id, sub: guestIdentity(), name, room, grants };
    c.header("cache-control", "no-store");
    return c.json(await mint(deps.guestKey.secret, claims, GUEST_TOKEN_SECONDS), 200);
  });

  app.openapi(joinRoute, async (c) => {
    const { room } = c.req.valid("param");
    const joining = await deps.authorisation.joinToken(c, room, () =>
      Promise.all([deps.lookups.relays(), deps.lookups.root(room)]),
    );
    const { claims, name: token } = joining.token;
    const [known, claim] = joining.found;
    const region = callerRegion(c, c.req.valid("query").region, deps.regions);
    const chosen = chooseRelays(room, known, claim, region);
    if (chosen.length === 0) {
      throw new ProblemError("no-relay", "No relay is up and takes sessions: try again in a few seconds.", {
        headers: { "retry-after": String(NO_RELAY_RETRY_SECONDS) },
      });
    }
    const iat = nowSeconds();
    const exp = iat + RELAY_TICKET_SECONDS;
    const name = claims.name ?? claims.sub;
    const holder = { sub: claims.sub, name, room, grants: claims.grants, token, tokenExp: claims.exp };
    const relays = await Promise.all(
      chosen.map(async ({ id, url, fallbackUrl, certificateHashes }) => ({
        relayId: id,
        url,
        fallbackUrl,
        certificateHashes,
        ticket: await signTicket(deps.ticketKey, { ...holder, aud: id, iat, exp, jti: crypto.randomUUID() }),
      })),
    );
    c.header("cache-control", "no-store");
    return c.json(
      {
        room,
        identity: claims.sub,
        name,
        grants: claims.grants,
        relays,
        expiresAt: isoTime(exp),
        network: await networkName(deps.bucketOf(c.req.raw, c.env)),
      },
      200,
    );
  });
}

function isoTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}

function guestIdentity(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(GUEST_CHARS));
  return `guest-${[...bytes].map((byte) => GUEST_ALPHABET[byte % GUEST_ALPHABET.length]).join("")}`;
}
