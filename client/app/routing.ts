/** What the address bar says: which room, who joins, and whether at once. Hostile input: everything is bounded. */

const MAX_ROOM_CHARS = 64;
const MAX_NAME_CHARS = 64;
const MAX_TOKEN_CHARS = 4096;
const MAX_REGION_CHARS = 64;

export interface Route {
  /** Empty on the start page. */
  room: string;
  /** Empty when the address names nobody. */
  name: string;
  /** Join token (JWT) of an invitation, empty for guests. */
  token: string;
  /** Join without stopping at the lobby. */
  joinNow: boolean;
  /** Region whose relays are preferred; empty = the gateway's own idea. */
  region: string;
}

/** Reads `/`, `/r/<room>` and the parameters name, token, join. An unknown path is the start page. */
export function parseRoute(address: URL): Route {
  const match = /^\/r\/([^/]+)\/?$/.exec(address.pathname);
  const room = roomNameFrom(match?.[1] === undefined ? "" : decodePart(match[1]));
  const token = (address.searchParams.get("token") ?? "").slice(0, MAX_TOKEN_CHARS);
  const invited = token === "" ? undefined : peekToken(token);
  return {
    room: room === "" ? roomNameFrom(invited?.room ?? "") : room,
    name: displayNameFrom(address.searchParams.get("name") ?? invited?.name ?? ""),
    token,
    joinNow: address.searchParams.get("join") === "1",
    region: (address.searchParams.get("region") ?? "").slice(0, MAX_REGION_CHARS),
  };
}

/** Turns what a person types into a room name: spaces become dashes, anything else that is not allowed goes. */
export function roomNameFrom(text: string): string {
  const allowed = text
    .trim()
    .replace(/\s+/gu, "-")
    .replace(/[^\p{L}\p{N}\-_.~@:]/gu, "");
  return [...allowed].slice(0, MAX_ROOM_CHARS).join("");
}

/** Takes control characters out and bounds the length. */
export function displayNameFrom(text: string): string {
  return [...text.replace(/\p{Cc}/gu, "").trim()].slice(0, MAX_NAME_CHARS).join("").trim();
}

export function roomPath(room: string): string {
  return `/r/${encodeURIComponent(room)}`;
}

/** What to send to others: the room and nothing personal (no name, no token). */
export function inviteLink(origin: string, room: string): string {
  return origin + roomPath(room);
}

const FIRST_WORDS = [
  "quiet",
  "amber",
  "silver",
  "misty",
  "bright",
  "gentle",
  "mossy",
  "winding",
  "clear",
  "golden",
];
const SECOND_WORDS = [
  "brook",
  "delta",
  "spring",
  "ford",
  "creek",
  "harbour",
  "rapids",
  "meadow",
  "bend",
  "weir",
];

/** A room name to start with, such as `quiet-brook-27`. `random` gives numbers in [0, 1). */
export function suggestRoomName(random: () => number): string {
  const pick = (words: readonly string[]) => words[Math.floor(random() * words.length)] ?? "river";
  return `${pick(FIRST_WORDS)}-${pick(SECOND_WORDS)}-${10 + Math.floor(random() * 90)}`;
}

/** Reads room and name out of a token for display only; the gateway is who verifies it. */
function peekToken(token: string): { room: string; name: string } | undefined {
  const payload = token.split(".")[1];
  if (payload === undefined) return undefined;
  try {
    const bytes = Uint8Array.from(atob(payload.replaceAll("-", "+").replaceAll("_", "/")), (char) =>
      char.charCodeAt(0),
    );
    const claims: unknown = JSON.parse(new TextDecoder().decode(bytes));
    if (typeof claims !== "object" || claims === null) return undefined;
    const text = (key: string) => {
      const value = (claims as Record<string, unknown>)[key];
      return typeof value === "string" ? value : "";
    };
    return { room: text("room"), name: text("name") };
  } catch {
    return undefined; // Not a readable token: the gateway's answer will say what is wrong with it.
  }
}

/** Text of one escaped part of a path. */
export function decodePart(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return ""; // A broken escape such as %E0%A4 names no room.
  }
}
