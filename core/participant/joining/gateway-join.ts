/** Asks the gateway to let us into a room: a join token becomes relays and tickets (POST /v1/rooms/:room/join). */
import { z } from "zod";
import { type Grants, grantsSchema } from "../../wire/room-model.ts";
import type { RelayCandidate } from "../participant-api.ts";

export interface GatewayAnswer {
  room: string;
  identity: string;
  name: string;
  grants: Grants;
  relays: RelayCandidate[];
  /** Names the network that the question came from; "" = the gateway does not know. */
  network: string;
  /** When the tickets end, ISO 8601. */
  expiresAt?: string | undefined;
}

const answerSchema = z.object({
  room: z.string(),
  identity: z.string(),
  name: z.string(),
  grants: grantsSchema,
  relays: z
    .array(
      z.object({
        url: z.string(),
        fallbackUrl: z.string().default(""),
        relayId: z.string(),
        certificateHashes: z.array(z.string()),
        ticket: z.string(),
      }),
    )
    .min(1),
  network: z.string().max(64).default(""),
  expiresAt: z.iso.datetime().optional(),
});

/** The gateway said no, or nothing. `final`: asking again with the same token cannot work. */
export class GatewayError extends Error {
  override readonly name = "GatewayError";
  readonly code: string;
  readonly final: boolean;
  constructor(code: string, message: string, final: boolean, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.final = final;
  }
}

/** Where to ask, and what for. */
export interface JoinQuestion {
  gateway: string;
  token: string;
  /** The room that the token is for. */
  room: string;
  /** Region of relays that is preferred; undefined = the gateway's own idea of where we are. */
  region?: string | undefined;
}

/** The slice of fetch that joining takes; core knows neither fetch nor AbortSignal, so both are handed in. */
export type JoinRequest<Signal> = (
  url: string,
  init: { method: "POST"; headers: Record<string, string>; body: string; signal?: Signal },
) => Promise<{ ok: boolean; status: number; json(): Promise<unknown> }>;

/** Rejects with GatewayError. `signal` ends the attempt with code "aborted". */
export async function fetchJoin<Signal extends { aborted: boolean }>(
  request: JoinRequest<Signal>,
  { gateway, token, room, region }: JoinQuestion,
  signal?: Signal,
): Promise<GatewayAnswer> {
  const path = `/v1/rooms/${encodeURIComponent(room)}/join`;
  const query = region === undefined ? "" : `?region=${encodeURIComponent(region)}`;
  const url = gateway.replace(/\/+$/, "") + path + query;
  let response: Awaited<ReturnType<JoinRequest<Signal>>>;
  let body: unknown;
  try {
    response = await request(url, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: "{}",
      ...(signal === undefined ? {} : { signal }),
    });
    body = await response.json().catch(() => undefined);
  } catch (cause) {
    if (signal?.aborted === true)
      throw new GatewayError("aborted", "joining was called off", true, { cause });
    throw new GatewayError("gateway-unreachable", `the gateway at ${gateway} did not answer`, false, {
      cause,
    });
  }
  if (!response.ok) throw refusal(response.status, body);
  const parsed = answerSchema.safeParse(body);
  if (!parsed.success) {
    throw new GatewayError(
      "gateway-answer",
      "the gateway's answer is not what this software understands",
      true,
    );
  }
  return parsed.data;
}

function refusal(status: number, body: unknown): GatewayError {
  const problem = z
    .object({ type: z.string().optional(), title: z.string().optional(), detail: z.string().optional() })
    .safeParse(body);
  const code = problem.data?.type?.split(/[/:#]/).pop() ?? `http-${status}`;
  const message = problem.data?.detail ?? problem.data?.title ?? `the gateway answered with status ${status}`;
  // 408 and 429 pass, and so do the server's own faults; other refusals stay.
  return new GatewayError(code, message, status < 500 && status !== 408 && status !== 429);
}
