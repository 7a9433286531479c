/** Which page of the audience an address is for (/watch, /listen, /history), and where each room's streams lie. */
import { decodePart, roomNameFrom } from "../routing.ts";

export type AudienceRoute =
  /** `room` is empty where the address names none. */
  | { page: "watch" | "listen"; room: string }
  /** `room` is empty for every room's recordings. */
  | { page: "history"; room: string }
  | { page: "recording"; id: string }
  | { page: "unknown" };

const MAX_ID_CHARS = 64;

/** Hostile input: what comes out is a clean room name, an id of allowed characters, or "unknown". */
export function parseAudienceRoute(address: URL): AudienceRoute {
  const [, page, part = "", rest = ""] = address.pathname.split("/");
  if (rest !== "" || address.pathname.split("/").length > 4) return { page: "unknown" };
  if (page === "watch" || page === "listen") return { page, room: roomNameFrom(decodePart(part)) };
  if (page !== "history") return { page: "unknown" };
  if (part === "") return { page, room: roomNameFrom(address.searchParams.get("room") ?? "") };
  const id = decodePart(part);
  const valid = id.length <= MAX_ID_CHARS && /^[\w-]+$/.test(id);
  return valid ? { page: "recording", id } : { page: "unknown" };
}

export function watchPath(room: string): string {
  return `/watch/${encodeURIComponent(room)}`;
}

export function listenPath(room: string): string {
  return `/listen/${encodeURIComponent(room)}`;
}

/** Recordings of one room, or of all where `room` is empty. */
export function historyPath(room: string): string {
  return room === "" ? "/history" : `/history?room=${encodeURIComponent(room)}`;
}

export function recordingPath(id: string): string {
  return `/history/${encodeURIComponent(id)}`;
}

/** The multivariant playlist of a room, while it is live and, where it is kept, afterwards. */
export function hlsPath(room: string): string {
  return `/hls/${encodeURIComponent(room)}/index.m3u8`;
}

export function mp3Path(room: string): string {
  return `/listen/${encodeURIComponent(room)}.mp3`;
}

/** Who is heard in a room (core/wire/now-heard.ts). */
export function nowHeardPath(room: string): string {
  return `/listen/${encodeURIComponent(room)}.json`;
}
