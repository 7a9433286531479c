/**
 * `GET /<room>.mp3`: where players listen, mounted at /listen. Answers as icecast does, for browsers, VLC and hardware radios alike: an endless
 * body, ICY metadata for those that ask (`Icy-MetaData: 1`), no range but the whole. `GET /<room>.json` tells pages who is heard
 * (core/wire/now-heard.ts).
 */
import { Hono } from "hono";
import { ICY_INTERVAL_BYTES } from "./limits.ts";
import type { Mp3Output } from "./mp3-output.ts";

const SAMPLE_RATE_TEXT = "48000";
/** Pages of any origin may play it and read its ICY headers. */
const CORS = {
  "access-control-allow-origin": "*",
  "access-control-allow-headers": "icy-metadata, range",
  "access-control-expose-headers": "icy-metaint, icy-name, icy-br, ice-audio-info",
  "access-control-max-age": "86400",
  "cross-origin-resource-policy": "cross-origin",
};
const NONE = "There is no MP3 of this room: it is over, or nobody has started one.";
/** When somebody who was refused may ask again. */
const RETRY_SECONDS = "10";

/** `find` gives a room's output, or undefined where there is none. */
export function listenRoutes(find: (room: string) => Mp3Output | undefined): Hono {
  const routes = new Hono();
  routes.options("/:file{.+\\.(mp3|json)}", (c) => c.body(null, 204, CORS));
  routes.get("/:file{.+\\.json}", (c) => {
    const output = find(c.req.param("file").slice(0, -".json".length));
    const headers = { ...CORS, "cache-control": "no-store" };
    return output === undefined
      ? c.json({ detail: NONE }, 404, headers)
      : c.json(output.nowHeard, 200, headers);
  });
  routes.get("/:file{.+\\.mp3}", (c) => {
    const room = c.req.param("file").slice(0, -".mp3".length);
    const output = find(room);
    if (output === undefined) {
      return c.text(`${NONE}\n`, 404, CORS);
    }
    const icy = c.req.header("icy-metadata")?.trim() === "1";
    const headers = { ...CORS, ...describe(output, icy) };
    // Hono answers HEAD by this handler too, and throws the body away.
    if (c.req.method === "HEAD") return c.body(null, 200, headers);
    const listener = output.listen(icy);
    if (listener === undefined) {
      const full = "There are as many listeners as this server takes. Try again later.\n";
      return c.text(full, 503, { ...CORS, "retry-after": RETRY_SECONDS });
    }
    return c.body(listener.body, 200, headers);
  });
  return routes;
}

function describe(output: Mp3Output, icy: boolean): Record<string, string> {
  const kbps = String(output.bitrateKbps);
  return {
    "content-type": "audio/mpeg",
    "cache-control": "no-cache, no-store",
    "accept-ranges": "none",
    "x-content-type-options": "nosniff",
    // nginx in front of us would otherwise keep sound back until its buffers are full.
    "x-accel-buffering": "no",
    "icy-name": headerText(output.room),
    "icy-br": kbps,
    "icy-pub": "0",
    "ice-audio-info": `bitrate=${kbps};channels=2;samplerate=${SAMPLE_RATE_TEXT}`,
    ...(icy ? { "icy-metaint": String(ICY_INTERVAL_BYTES) } : {}),
  };
}

/** Room names are of any script, and players take UTF-8 here: its bytes, as headers hold them. */
function headerText(text: string): string {
  return String.fromCharCode(...new TextEncoder().encode(text));
}
