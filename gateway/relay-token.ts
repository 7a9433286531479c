/** Checks who posts a room event: a relay of the cluster, by the key in its directory record (core/wire/room-events.ts). */
import { decodeJwt, importJWK, jwtVerify } from "jose";
import type { Clock } from "../core/clock.ts";
import type { RelayRecord } from "../core/directory/directory.ts";
import { EVENT_TOKEN_SECONDS, MAX_TOKEN_CHARS } from "../core/wire/limits.ts";
import { EVENTS_AUDIENCE } from "../core/wire/room-events.ts";
import { ProblemError } from "./problem.ts";

/** Clocks of gateway and relay may differ by this. */
const CLOCK_TOLERANCE_SECONDS = 5;

/** Id of the relay that made the token, for this room. Throws ProblemError `relay-refused`. */
export async function relayOfToken(
  authorization: string | undefined,
  room: string,
  relays: readonly RelayRecord[],
  clock: Clock,
): Promise<string> {
  const [, token = ""] = /^Bearer (\S+)$/i.exec(authorization ?? "") ?? [];
  if (token === "") throw refused("it carries no token");
  if (token.length > MAX_TOKEN_CHARS) throw refused("its token is too long");
  try {
    const { iss = "" } = decodeJwt(token);
    const record = relays.find((relay) => relay.id === iss);
    if (!record?.linkKey) throw new Error("the directory has no relay of this id with a key");
    const [x = "", y = ""] = record.linkKey.split(".");
    const key = await importJWK({ kty: "EC", crv: "P-256", x, y }, "ES256");
    const { payload } = await jwtVerify<{ room?: unknown }>(token, key, {
      algorithms: ["ES256"],
      audience: EVENTS_AUDIENCE,
      issuer: iss,
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      currentDate: new Date(clock.nowUs() / 1000),
      maxTokenAge: EVENT_TOKEN_SECONDS,
      requiredClaims: ["exp", "iat"],
    });
    if (payload.room !== room) throw new Error("the token is for another room");
    return record.id;
  } catch (cause) {
    throw refused(cause instanceof Error ? cause.message : String(cause), cause);
  }
}

function refused(why: string, cause?: unknown): ProblemError {
  return new ProblemError("relay-refused", `This is for relays of the cluster: ${why}.`, { cause });
}
