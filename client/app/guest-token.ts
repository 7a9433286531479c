/** Asks the gateway for a guest's join token: `POST /v1/rooms/:room/guests`. Errors become sentences for people. */

export class JoinRefusedError extends Error {
  override readonly name = "JoinRefusedError";
}

const MAX_DETAIL_CHARS = 300;

/** `gateway` is a base URL without a trailing slash; "" is the page's own origin. Throws JoinRefusedError. */
export async function requestGuestToken(
  gateway: string,
  room: string,
  name: string,
  signal: AbortSignal,
  fetcher: typeof fetch = fetch,
): Promise<string> {
  let response: Response;
  try {
    response = await fetcher(`${gateway}/v1/rooms/${encodeURIComponent(room)}/guests`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ name }),
      signal,
    });
  } catch (cause) {
    if (signal.aborted) throw cause;
    throw new JoinRefusedError("The server cannot be reached. Check your connection and try again.", {
      cause,
    });
  }
  const body: unknown = await response.json().catch(() => undefined);
  if (!response.ok) throw new JoinRefusedError(refusal(response.status, body));
  const token = field(body, "token");
  if (token === "")
    throw new JoinRefusedError("The server gave an answer that this page does not understand.");
  return token;
}

function refusal(status: number, body: unknown): string {
  if (status === 404) {
    return "This server does not let guests in. Ask the host for an invitation link (one with a token in it).";
  }
  if (status === 429) return "Too many tries from here. Wait a minute, then try again.";
  const detail = field(body, "detail") || field(body, "title");
  if (detail !== "") return detail.slice(0, MAX_DETAIL_CHARS);
  return `The server refused (status ${status}). Try again in a moment.`;
}

function field(body: unknown, key: string): string {
  if (typeof body !== "object" || body === null) return "";
  const value = (body as Record<string, unknown>)[key];
  return typeof value === "string" ? value : "";
}
