/** Hostile requests to the HLS routes, made from a seed: queries, names and methods that are nearly right, and some that are not at all. */
import type { Hono } from "hono";
import { seededRandom } from "../../../test/sim/seeded-random.ts";

const WORDS = [
  "_HLS_msn",
  "_HLS_part",
  "_HLS_skip",
  "_HLS_",
  "YES",
  "v2",
  "0",
  "-1",
  "1e9",
  "007",
  "9".repeat(15),
  "9".repeat(400),
  "NaN",
  "Infinity",
  "0x10",
  "%00",
  "%",
  "..",
  "%2e%2e",
  "/",
  "\\",
  "&",
  "=",
  "main.m3u8",
  "index.m3u8",
  "opus.m3u8",
  "init",
  "s",
  "p",
  ".m4s",
  ".mp4",
  "stage",
  "__proto__",
  "constructor",
  "\u{1f3ac}",
  "%ff",
  "+",
  " ",
  ";",
  "?",
  "#",
  "ts",
  "x".repeat(3_000),
];
const STATUSES = new Set([200, 204, 400, 404, 405, 503]);

/** Sends `count` requests. Throws with the seed and address when an answer is not one of those that there are. */
export async function fuzzRequests(app: Hono, seed: number, count: number, newest: number): Promise<void> {
  const random = seededRandom(seed);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
  const number = (): string =>
    random() < 0.3 ? pick(WORDS) : String(Math.max(0, newest - 40 + Math.floor(random() * 45)));
  for (let i = 0; i < count; i++) {
    const file = pick([
      () => "main.m3u8",
      () => `s${number()}.m4s`,
      () => `p${number()}.${Math.floor(random() * 14)}.m4s`,
      () => `init${number()}.${number()}.mp4`,
      () => pick(WORDS) + pick(WORDS) + pick(WORDS),
    ])();
    const query: string[] = [];
    for (let q = Math.floor(random() * 5); q > 0; q--) {
      const name = random() < 0.8 ? pick(["_HLS_msn", "_HLS_part", "_HLS_skip"]) : pick(WORDS);
      query.push(`${name}=${random() < 0.6 ? number() : pick(WORDS)}`);
    }
    const address = `http://bridge/${random() < 0.95 ? "stage" : pick(WORDS)}/${file}?${query.join("&")}`;
    const method = random() < 0.97 ? "GET" : pick(["POST", "HEAD", "OPTIONS", "DELETE"]);
    let request: Request;
    // What is not there yet is not waited for: a client that has gone.
    const gone = AbortSignal.abort();
    try {
      request = new Request(address, { method });
      Object.defineProperty(request, "signal", { value: gone });
    } catch {
      // No address at all: a server never sees it.
      continue;
    }
    const response = await app.fetch(request);
    const length = (await response.arrayBuffer()).byteLength;
    const isBounded = response.status === 200 || length < 500;
    if (!STATUSES.has(response.status) || !isBounded) {
      throw new Error(
        `seed ${seed}: ${method} ${address} is answered ${response.status} with ${length} bytes`,
      );
    }
    if (response.status >= 400 && response.headers.get("cache-control") !== "no-store") {
      throw new Error(`seed ${seed}: ${method} ${address} is refused in a way that caches keep`);
    }
  }
}
