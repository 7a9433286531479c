/** What a system of calls must offer to be measured: one page that publishes, and viewers that join and leave. */
import type { Page } from "playwright-core";
import type { Figures } from "../report.ts";

export interface Viewer {
  /** Carries the probe. */
  readonly page: Page;
  /** Wall clock at which the application's call to join began, ms. */
  readonly joinedAtMs: number;
  /** The system's own account since the viewer joined; names begin with "stats". */
  ownFigures(): Promise<Figures>;
  leave(): Promise<void>;
}

export interface CallSystem {
  /** Publishes camera and microphone from the beginning; carries the source. */
  readonly source: Page;
  join(): Promise<Viewer>;
  close(): Promise<void>;
}
