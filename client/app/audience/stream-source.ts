/** What plays a stream in a <video>: hls.js, or the browser by itself where that is better (Safari). One shape for both. */

export interface TimeWindow {
  startS: number;
  endS: number;
}

export interface StreamSource {
  /** Time of day when the picture on screen was taken, milliseconds since 1970; null where the stream does not say. */
  takenAtMs(): number | null;
  /** Where one is live, in the video's time; null once the stream is finished. */
  livePositionS(): number | null;
  /** What can be sought to, in the video's time. */
  window(): TimeWindow;
  /** Whether to play a little faster while behind the live edge. Whoever has sought back wants to stay there. */
  follow(live: boolean): void;
  /** Bits a second as measured, 0 = not known. */
  bitrateBps(): number;
  close(): void;
}

/** Why a source gave up; whoever opened it looks whether the stream is still there. */
export type SourceLoss = "missing" | "unreachable" | "broken";

export interface SourceEvents {
  /** Headers Date and Age of an answer that has just come. */
  onAnswer(date: string | null, age: string | null): void;
  /** At most once, and nothing after it. */
  onLost(loss: SourceLoss): void;
}

/** `fromStart`: a finished stream begins at 0, a live one at its live edge. */
export type OpenSource = (
  video: HTMLVideoElement,
  url: string,
  fromStart: boolean,
  events: SourceEvents,
) => StreamSource;
