/** HLS through hls.js, with low latency. Loaded only where something is to be played: hls.js is larger than the page. */
import Hls, { type ErrorData, ErrorTypes, Events } from "hls.js";
import type { SourceEvents, SourceLoss, StreamSource } from "./stream-source.ts";

/** Played faster at most, to come back to the live edge: hardly to be heard. */
const MAX_CATCH_UP_RATE = 1.08;
/** Media behind the playhead that is kept, seconds; older is loaded again when somebody seeks there. */
const BACK_BUFFER_S = 60;
/** A decoder that fails is started anew so often, and after that long of quiet again. */
const MAX_RECOVERIES = 2;
const RECOVERY_MEMORY_MS = 30_000;

export function openHls(
  video: HTMLVideoElement,
  url: string,
  fromStart: boolean,
  events: SourceEvents,
): StreamSource {
  const hls = new Hls({
    lowLatencyMode: true,
    maxLiveSyncPlaybackRate: MAX_CATCH_UP_RATE,
    backBufferLength: BACK_BUFFER_S,
    startPosition: fromStart ? 0 : -1,
  });
  let recoveries: number[] = [];
  const recover = (): boolean => {
    const now = performance.now();
    recoveries = recoveries.filter((at) => now - at < RECOVERY_MEMORY_MS);
    if (recoveries.length >= MAX_RECOVERIES) return false;
    recoveries.push(now);
    hls.recoverMediaError();
    return true;
  };
  hls.on(Events.LEVEL_LOADED, (_event, { networkDetails }) => tellDate(networkDetails, events));
  hls.on(Events.ERROR, (_event, error) => {
    if (!error.fatal || (error.type === ErrorTypes.MEDIA_ERROR && recover())) return;
    events.onLost(lossOf(error));
  });
  hls.loadSource(url);
  hls.attachMedia(video);
  const details = () => hls.latestLevelDetails;
  return {
    takenAtMs: () => hls.playingDate?.getTime() ?? null,
    livePositionS: () => (details()?.live === true ? hls.liveSyncPosition : null),
    window: () => ({ startS: details()?.fragmentStart ?? 0, endS: details()?.edge ?? 0 }),
    follow(live) {
      hls.config.maxLiveSyncPlaybackRate = live ? MAX_CATCH_UP_RATE : 1;
      if (!live) video.playbackRate = 1;
    },
    bitrateBps() {
      const level = hls.levels[Math.max(0, hls.currentLevel)];
      return level === undefined ? 0 : level.realBitrate || level.bitrate;
    },
    close: () => hls.destroy(),
  };
}

function lossOf(error: ErrorData): SourceLoss {
  const status = error.response?.code;
  if (status === 404 || status === 410) return "missing";
  return error.type === ErrorTypes.NETWORK_ERROR ? "unreachable" : "broken";
}

/** Other origins show their Date only where they list it (Access-Control-Expose-Headers); asking for what they hide is an error in the console. */
function tellDate(answer: unknown, events: SourceEvents): void {
  if (!(answer instanceof XMLHttpRequest)) return;
  const shown = answer.getAllResponseHeaders();
  const header = (name: "date" | "age"): string | null =>
    new RegExp(`^${name}:`, "im").test(shown) ? answer.getResponseHeader(name) : null;
  events.onAnswer(header("date"), header("age"));
}
