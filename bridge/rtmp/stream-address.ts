/** Where a stream key is: programs put it into the publish name, the app or the query of either. */

/** What `connect` and `publish` said. */
export interface StreamAddress {
  app: string;
  name: string;
  query: Record<string, string>;
  streamKey: string;
}

/** Names that programs and their docs use for a key in the query. */
const KEY_NAMES = ["key", "streamkey", "stream_key", "stream-key", "token"];

/**
 * `app` and `name` as they came, each perhaps with a query; `tcUrl`'s query counts where the app has none. OBS and librtmp split
 * rtmp://host/live/key at the last slash or after two, ffmpeg after one: a key in the app's last part is found as well.
 */
export function streamAddress(rawApp: string, rawName: string, tcUrl: string): StreamAddress {
  const [appPath, appQuery] = split(rawApp);
  const [name, nameQuery] = split(rawName);
  const query: Record<string, string> = Object.create(null);
  for (const text of [split(tcUrl)[1], appQuery, nameQuery]) {
    for (const [key, value] of new URLSearchParams(text)) query[key.toLowerCase()] = value;
  }
  const parts = trimmed(appPath).split("/");
  const app = parts[0] ?? "";
  const inQuery = KEY_NAMES.map((each) => query[each]).find((value) => value !== undefined && value !== "");
  const path = [...parts.slice(1), trimmed(name)].filter((part) => part !== "");
  return { app, name: trimmed(name), query, streamKey: inQuery ?? path.at(-1) ?? "" };
}

function split(text: string): [string, string] {
  const at = text.indexOf("?");
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

function trimmed(text: string): string {
  return text.replace(/^\/+|\/+$/g, "");
}
