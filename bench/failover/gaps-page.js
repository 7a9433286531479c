/**
 * Runs in a room's page: how long the page was without media. A gap is the longest time without a rendered frame of a picture, or
 * without a datagram of a sound, less the usual time between two. `benchGaps.read()`: milliseconds of each received track since the
 * last call, `{picture: number[], sound: number[]}`, a gap that goes on included.
 */
(() => {
  const LOOK_MS = 15;
  const USUAL_MS = { video: 1000 / 30, audio: 20 };
  /** By publisher and source: a track has another id after it came by another relay. */
  const watched = new Map();

  async function look() {
    const stats = await window.tributary?.room?.getStats().catch(() => undefined);
    const nowMs = performance.now();
    for (const track of stats?.tracks ?? []) {
      if (track.direction !== "inbound") continue;
      const name = `${track.participant} ${track.source}`;
      const count = track.kind === "video" ? track.framesRendered : track.datagrams;
      const before = watched.get(name);
      if (before === undefined) watched.set(name, { kind: track.kind, count, sinceMs: nowMs, longestMs: 0 });
      else if (before.count !== count) {
        before.longestMs = Math.max(before.longestMs, nowMs - before.sinceMs);
        before.count = count;
        before.sinceMs = nowMs;
      }
    }
    setTimeout(look, LOOK_MS);
  }

  globalThis.benchGaps = {
    read() {
      const gaps = { picture: [], sound: [] };
      const nowMs = performance.now();
      for (const track of watched.values()) {
        const longestMs = Math.max(track.longestMs, nowMs - track.sinceMs);
        const gapMs = Math.max(0, longestMs - USUAL_MS[track.kind]);
        gaps[track.kind === "video" ? "picture" : "sound"].push(gapMs);
        track.longestMs = 0;
        track.sinceMs = nowMs;
      }
      return gaps;
    },
  };
  look();
})();
