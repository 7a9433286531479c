import { expect, test, vi } from "vitest";
import { lookAtPlaylist, lookAtStream } from "./playlist-look.ts";

const MEDIA = "#EXTM3U\n#EXT-X-VERSION:9\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\na.m4s\n";
const MULTI =
  '#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="o",URI="opus.m3u8"\n#EXT-X-STREAM-INF:BANDWIDTH=1\n# note\nvideo/live.m3u8?x=1\n';

test("a media playlist is finished once it says so on a line of its own", () => {
  expect(lookAtPlaylist(MEDIA)).toEqual({ kind: "media", finished: false });
  expect(lookAtPlaylist(`${MEDIA}#EXT-X-ENDLIST\n`)).toEqual({ kind: "media", finished: true });
  expect(lookAtPlaylist(`${MEDIA}#EXT-X-ENDLIST`.replaceAll("\n", "\r\n"))).toEqual({
    kind: "media",
    finished: true,
  });
  expect(lookAtPlaylist(`${MEDIA}# #EXT-X-ENDLIST\n`)).toEqual({ kind: "media", finished: false });
});

test("a multivariant playlist leads to its first variant, past comments", () => {
  expect(lookAtPlaylist(MULTI)).toEqual({ kind: "multivariant", firstVariant: "video/live.m3u8?x=1" });
  expect(lookAtPlaylist("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n")).toEqual({ kind: "none" });
});

test.each(["", "<!doctype html>", "#EXTM3UX", "#EXTM3U\n", "{}"])("%j is no playlist", (text) => {
  expect(lookAtPlaylist(text)).toEqual({ kind: "none" });
});

/** Answers by path; a number is a status. */
function server(answers: Record<string, string | number>) {
  return vi.fn(async (input: RequestInfo | URL) => {
    const answer = answers[new URL(String(input)).pathname];
    if (answer === undefined) throw new TypeError("connection refused");
    return typeof answer === "number" ? new Response("", { status: answer }) : new Response(answer);
  });
}
const look = (answers: Record<string, string | number>) =>
  lookAtStream("https://x.example/hls/a/index.m3u8", new AbortController().signal, server(answers));

test("a stream is live or finished as its first media playlist says", async () => {
  expect(await look({ "/hls/a/index.m3u8": MULTI, "/hls/a/video/live.m3u8": MEDIA })).toBe("live");
  expect(await look({ "/hls/a/index.m3u8": `${MEDIA}#EXT-X-ENDLIST` })).toBe("finished");
});

test("a missing stream is told from one that cannot be reached", async () => {
  expect(await look({ "/hls/a/index.m3u8": 404 })).toBe("missing");
  expect(await look({ "/hls/a/index.m3u8": MULTI, "/hls/a/video/live.m3u8": 410 })).toBe("missing");
  expect(await look({ "/hls/a/index.m3u8": 503 })).toBe("not-yet");
  expect(await look({ "/hls/a/index.m3u8": 502 })).toBe("unreachable");
  expect(await look({ "/hls/a/index.m3u8": MULTI })).toBe("unreachable");
  expect(await look({ "/hls/a/index.m3u8": MULTI, "/hls/a/video/live.m3u8": MULTI })).toBe("unreachable");
  expect(await look({ "/hls/a/index.m3u8": "<html>" })).toBe("unreachable");
});

test("an aborted look rejects", async () => {
  const ended = new AbortController();
  ended.abort();
  const fetcher = async () => Promise.reject(new Error("aborted"));
  await expect(lookAtStream("https://x.example/", ended.signal, fetcher)).rejects.toThrow("aborted");
});
