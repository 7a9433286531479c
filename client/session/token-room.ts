/** The room that a join token is for, read without checking it: the gateway checks. */
import { z } from "zod";
import { GatewayError } from "../../core/participant/joining/gateway-join.ts";

/** Throws GatewayError. */
export function roomOfToken(token: string): string {
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
