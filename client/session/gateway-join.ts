/** Asks the gateway to let us into a room: a join token becomes relays and tickets (POST /v1/rooms/:room/join). */
import { z } from "zod";
import type { RelayCandidate } from "../../core/participant/participant-api.ts";
import { type Grants, grantsSchema } from "../../core/wire/room-model.ts";

export interface GatewayAnswer {
  room: string;
  identity: string;
  name: string;
  grants: Grants;
  relays: RelayCandidate[];
}

const answerSchema = z.object({
  room: z.string(),
  identity: z.string(),
  name: z.string(),
  grants: grantsSchema,
  relays: z
    .array(
      z.object({
        url: z.url(),
        relayId: z.string(),
        certificateHashes: z.array(z.string()),
        ticket: z.string(),
      }),
    )
    .min(1),
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

/** Room that a join token is for, read without checking it: the gateway checks. Throws GatewayError. */
function roomOfToken(token: string): string {
  try {
    const payload = token.split(".")[1] ?? "";
    const binary = atob(payload.replaceAll("-", "+").replaceAll("_", "/"));
    const text = new TextDecoder().decode(Uint8Array.from(binary, (char) => char.charCodeAt(0)));
    return z.object({ room: z.string().min(1) }).parse(JSON.parse(text)).room;
  } catch (cause) {
    throw new GatewayError(
      "token-malformed",
      "the join token is no JWT with a room in it; mint a new one",
      true,
      {
        cause,
      },
    );
  }
}

/** Where to ask, and what for. */
export interface JoinQuestion {
  gateway: string;
  token: string;
  /** Region of relays that is preferred; undefined = the gateway's own idea of where we are. */
  region?: string | undefined;
}

/** Rejects with GatewayError. `signal` ends the attempt with code "aborted". */
export async function fetchJoin(
  { gateway, token, region }: JoinQuestion,
  signal?: AbortSignal,
): Promise<GatewayAnswer> {
  const path = `/v1/rooms/${encodeURIComponent(roomOfToken(token))}/join`;
  const query = region === undefined ? "" : `?region=${encodeURIComponent(region)}`;
  const url = gateway.replace(/\/+$/, "") + path + query;
  let response: Response;
  let body: unknown;
  try {
    response = await fetch(url, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: "{}",
      ...(signal === undefined ? {} : { signal }),
    });
    body = await response.json().catch(() => undefined);
  } catch (cause) {
    if (signal?.aborted) throw new GatewayError("aborted", "joining was called off", true, { cause });
    throw new GatewayError("gateway-unreachable", `the gateway at ${gateway} did not answer`, false, {
      cause,
    });
  }
  if (!response.ok) throw refusal(response.status, body);
  const parsed = answerSchema.safeParse(body);
  if (!parsed.success) {
    throw new GatewayError("gateway-answer", "the gateway's answer is not what this SDK understands", true);
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
