/**
 * What a page must know of a playlist before a player is loaded for it (RFC 8216bis): whether it is one, which media
 * playlist it leads to, and whether that one is finished.
 */

/** A playlist that is longer is no playlist of ours: bytes. */
const MAX_PLAYLIST_CHARS = 8 * 1024 * 1024;

export type PlaylistLook =
  | { kind: "multivariant"; firstVariant: string }
  | { kind: "media"; finished: boolean }
  /** Something else, such as an error page. */
  | { kind: "none" };

export function lookAtPlaylist(text: string): PlaylistLook {
  if (text.length > MAX_PLAYLIST_CHARS || !/^\uFEFF?#EXTM3U(\s|$)/.test(text)) return { kind: "none" };
  const lines = text.split(/\r?\n/);
  const stream = lines.findIndex((line) => line.startsWith("#EXT-X-STREAM-INF:"));
  if (stream !== -1) {
    const firstVariant = lines.slice(stream + 1).find((line) => line !== "" && !line.startsWith("#"));
    return firstVariant === undefined ? { kind: "none" } : { kind: "multivariant", firstVariant };
  }
  if (!lines.some((line) => line.startsWith("#EXT-X-TARGETDURATION:"))) return { kind: "none" };
  return { kind: "media", finished: lines.some((line) => line.trimEnd() === "#EXT-X-ENDLIST") };
}

/** What there is at an address now. `not-yet`: it has begun, and there is nothing to show so far. */
export type StreamLook = "live" | "finished" | "missing" | "not-yet" | "unreachable";

/**
 * Fetches the playlist, and the media playlist that it names first, without keeping either. Never rejects but when `signal`
 * aborts. 404 and 410 are "missing", 503 is "not-yet"; any other failure is "unreachable".
 */
export async function lookAtStream(
  url: string,
  signal: AbortSignal,
  fetcher: typeof fetch = fetch,
): Promise<StreamLook> {
  let address = url;
  for (const step of ["first", "second"] as const) {
    let text: string;
    try {
      const response = await fetcher(address, { signal, cache: "no-cache" });
      if (response.status === 404 || response.status === 410) return "missing";
      if (response.status === 503) return "not-yet";
      if (!response.ok) return "unreachable";
      text = await response.text();
      if (response.url !== "") address = response.url;
    } catch (error) {
      if (signal.aborted) throw error;
      return "unreachable";
    }
    const look = lookAtPlaylist(text);
    if (look.kind === "media") return look.finished ? "finished" : "live";
    if (look.kind === "none" || step === "second") return "unreachable";
    address = new URL(look.firstVariant, new URL(address, globalThis.location?.href)).href;
  }
  return "unreachable";
}
