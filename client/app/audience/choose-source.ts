/** Which player a browser gets: hls.js, or its own. Either is loaded only now. */
import type { OpenSource } from "./stream-source.ts";

/** Rejects when hls.js cannot be loaded. */
export async function chooseSource(video: HTMLVideoElement): Promise<OpenSource> {
  // Apple's player knows low latency, AirPlay and thrift; elsewhere what claims to play HLS is no match for hls.js.
  const isApple = navigator.vendor.startsWith("Apple");
  const playsItself = video.canPlayType("application/vnd.apple.mpegurl") !== "";
  if (playsItself && (isApple || !("MediaSource" in window)))
    return (await import("./native-source.ts")).openNative;
  return (await import("./hls-source.ts")).openHls;
}
