/** The tree of a room's relays, for operators: asked of the room's root, then of the relays that it names, and drawn at /tree. */
import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { Clock } from "../core/clock.ts";
import type { RelayRecord } from "../core/directory/directory.ts";
import { MAX_RELAYS_PER_ROOM } from "../core/wire/limits.ts";
import { type TreePlace, treeLinkSchema } from "../core/wire/operations-api.ts";
import { roomNameSchema } from "../core/wire/room-model.ts";
import { MAX_TREE_ANSWER_MS } from "./limits.ts";
import { problems } from "./problem.ts";
import { idsOf, missing, report } from "./relay-failures.ts";
import { askAll, RelayCallError } from "./relay-operations.ts";
import type { RoomRoutesDeps } from "./room-routes.ts";
import { relaysNamed, type TreeNode, treeOf } from "./room-tree.ts";
import { treePage } from "./tree-page.ts";

const nodeSchema: z.ZodType<TreeNode> = z
  .object({
    relayId: z.string(),
    region: z.string(),
    reachable: z.boolean().openapi({ description: "False: it did not answer, others say that it is there." }),
    participants: z.number().int().optional().openapi({ description: "With a session on this relay." }),
    link: z
      .object({ down: treeLinkSchema.optional(), up: treeLinkSchema.optional() })
      .optional()
      .openapi({ description: "To the parent: as the parent measures it, and as this relay does." }),
    children: z
      .lazy(() => z.array(nodeSchema))
      .openapi({
        type: "array",
        items: { $ref: "#/components/schemas/RelayNode" },
      }),
  })
  .openapi("RelayNode");

const treeSchema = z
  .object({
    room: roomNameSchema,
    epoch: z.number().int().openapi({ description: "Grows each time the room gets another root." }),
    provisional: z.boolean().openapi({ description: "The root has not been confirmed by the directory." }),
    deputy: z.string().optional().openapi({ description: "Relay that takes over when the root dies." }),
    participants: z.number().int(),
    tracks: z.number().int(),
    root: nodeSchema,
    adrift: z.array(nodeSchema).openapi({ description: "Relays on their way to another parent." }),
    unreachable: z.array(z.string()).openapi({ description: "Relays that were asked and did not answer." }),
  })
  .openapi("RoomTree");

const treeRoute = createRoute({
  method: "get",
  path: "/v1/rooms/{room}/tree",
  summary: "See the tree of a room's relays",
  description:
    "Which relays the room is on, how they are linked, and how each link does. Relays that do not answer are marked, not an error. The page /tree draws it.",
  tags: ["rooms"],
  security: [{ apiKey: [] }, { apiKeyBasic: [] }],
  request: { params: z.object({ room: roomNameSchema }) },
  responses: {
    200: { description: "The tree", content: { "application/json": { schema: treeSchema } } },
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

export function addTreeRoutes(app: OpenAPIHono, deps: RoomRoutesDeps & { clock: Clock }): void {
  app.openapi(treeRoute, async (c) => {
    await deps.authorisation.apiKey(c);
    const { room } = c.req.valid("param");
    const { places, failures } = await askTree(deps, room);
    report(deps.log, failures);
    if (places.size === 0)
      throw missing(failures, "room-not-found", `Nobody is in ${room}: it begins with the first join.`);
    c.header("cache-control", "no-store");
    return c.json({ room, ...treeOf(places), unreachable: idsOf(failures) }, 200);
  });

  /** Never the promise of it: on Workers what one request waits for must not be waited for by another. */
  let page: Awaited<ReturnType<typeof treePage>> | undefined;
  app.get("/tree", async (c) => {
    page ??= await treePage();
    const { html, policy } = page;
    c.header("content-security-policy", policy);
    return c.html(html);
  });
}

/** Places by relay. The root alone is asked first; where it does not know the room, or nobody knows the root, all relays are. */
async function askTree(
  { directory, operations, clock }: RoomRoutesDeps & { clock: Clock },
  room: string,
): Promise<{ places: Map<string, TreePlace>; failures: RelayCallError[] }> {
  const [relays, claim] = await Promise.all([directory.relays(), directory.room(room)]);
  const byId = new Map(relays.map((relay) => [relay.id, relay]));
  const deadlineUs = clock.nowUs() + MAX_TREE_ANSWER_MS * 1000;
  const places = new Map<string, TreePlace>();
  const failures: RelayCallError[] = [];
  const asked = new Set<string>();
  const ask = async (wanted: readonly RelayRecord[]): Promise<void> => {
    for (const { id } of wanted) asked.add(id);
    const settled = await askAll(wanted, async (relay) => {
      if (clock.nowUs() >= deadlineUs) throw new RelayCallError(relay.id, "not asked: others took too long");
      return operations.tree(relay, room);
    });
    failures.push(...settled.failures);
    // A relay speaks for itself only.
    for (const { relay, answer } of settled.answers) {
      if (answer) places.set(relay.id, { ...answer, room, relayId: relay.id });
    }
  };
  const root = byId.get(claim?.relayId ?? "");
  if (root) await ask([root]);
  if (places.size === 0) await ask(relays.filter(({ id }) => !asked.has(id)).slice(0, MAX_RELAYS_PER_ROOM));
  for (;;) {
    const named = [...relaysNamed(places.values()).keys()].filter((id) => !asked.has(id));
    const known = named.flatMap((id) => byId.get(id) ?? []);
    if (known.length === 0 || asked.size + known.length > 2 * MAX_RELAYS_PER_ROOM)
      return { places, failures };
    await ask(known);
  }
}
