/** About the gateway itself: liveness, the public ticket key, the OpenAPI document and its page. */
import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { docsPage } from "./docs-page.ts";
import { problems } from "./problem.ts";
import type { TicketKey } from "./ticket-key.ts";

/** Relays may keep the key set this long. */
const JWKS_CACHE_SECONDS = 300;

const healthRoute = createRoute({
  method: "get",
  path: "/healthz",
  summary: "Is the gateway alive",
  tags: ["service"],
  responses: {
    200: {
      description: "Alive",
      content: {
        "application/json": {
          schema: z.object({ status: z.literal("ok"), version: z.string() }).openapi("Health"),
        },
      },
    },
  },
});

const keySetSchema = z
  .object({
    keys: z.array(
      z.object({
        kty: z.literal("EC"),
        crv: z.literal("P-256"),
        x: z.string(),
        y: z.string(),
        kid: z.string(),
        alg: z.literal("ES256"),
        use: z.literal("sig"),
      }),
    ),
  })
  .openapi("KeySet");

const jwksRoute = createRoute({
  method: "get",
  path: "/.well-known/jwks.json",
  summary: "The public key of relay tickets",
  tags: ["service"],
  responses: {
    200: {
      description: "A JWK set",
      content: {
        "application/json": {
          schema: keySetSchema,
        },
      },
    },
    ...problems("rate-limited"),
  },
});

export function addServiceRoutes(app: OpenAPIHono, deps: { version: string; ticketKey: TicketKey }): void {
  app.openapi(healthRoute, (c) => c.json({ status: "ok" as const, version: deps.version }, 200));
  app.openapi(jwksRoute, (c) => {
    c.header("cache-control", `public, max-age=${JWKS_CACHE_SECONDS}`);
    return c.json({ keys: [deps.ticketKey.publicJwk] }, 200);
  });
  addDocuments(app, deps.version);
}

function addDocuments(app: OpenAPIHono, version: string): void {
  const { registerComponent } = app.openAPIRegistry;
  const register = registerComponent.bind(app.openAPIRegistry);
  register("securitySchemes", "apiKey", {
    type: "http",
    scheme: "bearer",
    description: "`<API key id>:<secret>`",
  });
  register("securitySchemes", "apiKeyBasic", {
    type: "http",
    scheme: "basic",
    description: "The same as user and password",
  });
  register("securitySchemes", "joinToken", {
    type: "http",
    scheme: "bearer",
    bearerFormat: "JWT",
    description: "A join token: HS256 with an API key's secret (iss = its id), or an algorithm of the JWKS",
  });
  register("securitySchemes", "relayToken", {
    type: "http",
    scheme: "bearer",
    bearerFormat: "JWT",
    description: "Made by relays: ES256 with the key whose public half is in the relay's directory record",
  });
  let built: ReturnType<OpenAPIHono["getOpenAPI31Document"]> | undefined;
  const document = () => {
    built ??= app.getOpenAPI31Document({
      openapi: "3.1.0",
      info: {
        title: "Tributary gateway",
        version,
        description: "Join tokens, relay tickets and the room API. Errors are RFC 9457 problem documents.",
        license: { name: "Apache-2.0", url: "https://www.apache.org/licenses/LICENSE-2.0" },
      },
    });
    return built;
  };
  app.get("/v1/openapi.json", (c) => c.json(document()));
  app.get("/v1/docs", (c) => {
    // The page is text and style only: it needs no script, no other host, and works under COEP.
    c.header(
      "content-security-policy",
      "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    );
    return c.html(docsPage(document()));
  });
}
