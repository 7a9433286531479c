/** HLS as Safari plays it by itself. */
import type { SourceEvents, StreamSource } from "./stream-source.ts";

/** Behind the end of what can be sought to, where Safari's player is live: seconds. */
const LIVE_MARGIN_S = 3;

type AppleVideo = HTMLVideoElement & { getStartDate?: () => Date };

export function openNative(
  video: AppleVideo,
  url: string,
  fromStart: boolean,
  events: SourceEvents,
): StreamSource {
  const failed = (): void => {
    const code = video.error?.code;
    events.onLost(code === MediaError.MEDIA_ERR_DECODE ? "broken" : "unreachable");
  };
  video.addEventListener("error", failed, { once: true });
  video.src = url;
  if (fromStart) video.currentTime = 0;
  const end = (): number => (video.seekable.length > 0 ? video.seekable.end(video.seekable.length - 1) : 0);
  return {
    takenAtMs() {
      const startMs = video.getStartDate?.().getTime();
      return startMs === undefined || Number.isNaN(startMs) ? null : startMs + video.currentTime * 1000;
    },
    livePositionS: () => (Number.isFinite(video.duration) ? null : Math.max(0, end() - LIVE_MARGIN_S)),
    window: () => ({ startS: video.seekable.length > 0 ? video.seekable.start(0) : 0, endS: end() }),
    // Safari keeps to the live edge, or to where somebody has sought, by itself.
    follow: () => undefined,
    bitrateBps: () => 0,
    close() {
      video.removeEventListener("error", failed);
      video.removeAttribute("src");
      video.load();
    },
  };
}
