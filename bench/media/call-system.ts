/** What a system of calls must offer to be measured: one page that publishes, and viewers that join and leave. */
import type { Page } from "playwright-core";
import type { Figures } from "../report.ts";

/** One look at the system's own account; counters since the viewer joined, the rest as it is now. */
export interface Account {
  /** Wall clock ms of the look. */
  atMs: number;
  /** Media and repair received, without the headers of datagrams where the system does not count them. */
  receivedBytes: number;
  concealedMs: number;
  playedMs: number;
  /** How long sound and picture are held back by their jitter buffers; null when nothing was played. */
  audioBufferMs: number | null;
  /** The sound's from each frame's arrival on. The picture's: Tributary counts from capture, WebRTC from its first datagram. */
  videoBufferMs: number | null;
  /** Of the picture as it was encoded. */
  pictureWidth: number | null;
}

export interface Viewer {
  /** Carries the probe. */
  readonly page: Page;
  /** Wall clock at which the application's call to join began, ms. */
  readonly joinedAtMs: number;
  /** The system's own account since the viewer joined; names begin with "stats". */
  ownFigures(): Promise<Figures>;
  account(): Promise<Account>;
  leave(): Promise<void>;
}

export interface CallSystem {
  /** Publishes camera and microphone from the beginning; carries the source. */
  readonly source: Page;
  join(): Promise<Viewer>;
  close(): Promise<void>;
}
