/** Checks API keys: `Authorization: Bearer <id>:<secret>`, or Basic with the same two. */
import { ProblemError } from "./problem.ts";

const HOW = "send `Authorization: Bearer <API key id>:<secret>`";

/** What an Authorization header holds, before anything in it is believed. */
export type Credentials = { kind: "key"; id: string; secret: string } | { kind: "token"; token: string };

/** Throws ProblemError `credentials-missing` when there is no usable Authorization header. */
export function credentialsOf(header: string | undefined, how: string = HOW): Credentials {
  const [scheme = "", value = ""] = (header ?? "").trim().split(/\s+/, 2);
  let pair: string | undefined;
  if (scheme.toLowerCase() === "basic") pair = decodeBasic(value);
  else if (scheme.toLowerCase() === "bearer" && value !== "") {
    if (!value.includes(":")) return { kind: "token", token: value };
    pair = value;
  }
  const colon = pair?.indexOf(":") ?? -1;
  if (!pair || colon < 1) {
    throw new ProblemError("credentials-missing", `The request is not authorised: ${how}.`, challenge());
  }
  return { kind: "key", id: pair.slice(0, colon), secret: pair.slice(colon + 1) };
}

/** Id of the key. Throws ProblemError when the credentials are no key, an unknown one, or the secret is wrong. */
export async function verifyApiKey(
  keys: ReadonlyMap<string, string>,
  credentials: Credentials,
): Promise<string> {
  if (credentials.kind !== "key") {
    throw new ProblemError("key-refused", `A join token does not do here: ${HOW}.`, challenge());
  }
  const secret = keys.get(credentials.id);
  // An unknown id takes the same road and time as a wrong secret.
  const same = await sameText(credentials.secret, secret ?? "");
  if (secret === undefined || !same) {
    throw new ProblemError(
      "key-refused",
      "The API key id is unknown or its secret is wrong: compare both with TRIBUTARY_API_KEYS of the gateway.",
      challenge(),
    );
  }
  return credentials.id;
}

export function challenge(): { headers: Record<string, string> } {
  return { headers: { "www-authenticate": 'Bearer realm="tributary"' } };
}

/** Compares digests, so that the time taken says nothing of where two texts differ. */
async function sameText(a: string, b: string): Promise<boolean> {
  const encoder = new TextEncoder();
  const [left, right] = await Promise.all(
    [a, b].map(async (text) => new Uint8Array(await crypto.subtle.digest("SHA-256", encoder.encode(text)))),
  );
  let difference = 0;
  for (let i = 0; i < 32; i++) difference |= (left?.[i] ?? 0) ^ (right?.[i] ?? 0);
  return difference === 0;
}

function decodeBasic(value: string): string | undefined {
  try {
    return new TextDecoder().decode(Uint8Array.from(atob(value), (c) => c.charCodeAt(0)));
  } catch (cause) {
    throw new ProblemError("credentials-missing", "The Basic credentials are not base64.", {
      ...challenge(),
      cause,
    });
  }
}
