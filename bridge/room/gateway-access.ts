/** How a bridge gets into rooms: with an API key it mints a join token for each time that it asks the gateway for relays. */
import { z } from "zod";
import { fetchJoin, GatewayError, type JoinRequest } from "../../core/participant/joining/gateway-join.ts";
import type { RelayCandidate } from "../../core/participant/participant-api.ts";
import type { Source } from "../../core/wire/room-model.ts";

/** A token is for one answer of the gateway, and for the session that comes of it: bans go by it. */
const TOKEN_SECONDS = 24 * 3600;

/** Who a bridge is in a room. */
export interface MemberIdentity {
  identity: string;
  name: string;
  /** What it publishes; undefined = it only listens, and nobody sees it. */
  publish?: readonly Source[];
}

export interface GatewaySettings {
  /** Base URL. */
  gateway: string;
  /** `id:secret`. */
  apiKey: string;
  /** Relays of this region are preferred. */
  region: string | undefined;
}

const mintedSchema = z.object({ token: z.string().min(1) });

export class GatewayAccess {
  readonly #settings: GatewaySettings;
  readonly #request: JoinRequest<{ aborted: boolean }>;

  /** `request` is the runtime's fetch, or anything of its shape. */
  constructor(settings: GatewaySettings, request: JoinRequest<{ aborted: boolean }>) {
    this.#settings = settings;
    this.#request = request;
  }

  /** Relays and tickets for this member. Rejects with GatewayError. */
  async relaysFor(room: string, member: MemberIdentity): Promise<RelayCandidate[]> {
    const { gateway, region } = this.#settings;
    const token = await this.#mint(room, member);
    return (await fetchJoin(this.#request, { gateway, token, room, region })).relays;
  }

  async #mint(room: string, { identity, name, publish }: MemberIdentity): Promise<string> {
    const { gateway, apiKey } = this.#settings;
    const grants =
      publish === undefined ? { hidden: true, data: false } : { publish, subscribe: false, data: false };
    let answer: Awaited<ReturnType<JoinRequest<{ aborted: boolean }>>>;
    try {
      answer = await this.#request(`${gateway}/v1/rooms/${encodeURIComponent(room)}/tokens`, {
        method: "POST",
        headers: { authorization: `Bearer ${apiKey}`, "content-type": "application/json" },
        body: JSON.stringify({ identity, name, grants, ttlSeconds: TOKEN_SECONDS }),
      });
    } catch (cause) {
      throw new GatewayError("gateway-unreachable", `the gateway at ${gateway} did not answer`, false, {
        cause,
      });
    }
    if (!answer.ok) {
      const final = answer.status < 500 && answer.status !== 429;
      const message = `the gateway refused the bridge a token with status ${answer.status}: give the bridge an API key of the gateway`;
      throw new GatewayError("bridge-refused", message, final);
    }
    return mintedSchema.parse(await answer.json()).token;
  }
}
