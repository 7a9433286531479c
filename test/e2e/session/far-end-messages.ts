/** What a page and the far end of its session say to each other; bytes travel as base64. */
import type { SessionClose, SessionCounters } from "../../../core/session/session.ts";

export type FarCall = { session: number } & (
  | { operation: "state" }
  | { operation: "send"; bytes: string }
  | { operation: "close"; code: number; reason: string }
  | { operation: "open-stream" }
  | { operation: "write"; stream: number; bytes: string }
  | { operation: "read"; stream: number }
  | { operation: "finish"; stream: number }
);

/** `closed`: it was refused with SessionClosedError. */
export interface FarAnswer {
  value?: FarState | number | string | null | undefined;
  closed?: string;
}

export interface FarState {
  counters: SessionCounters;
  maxDatagramBytes: number;
}

export type FarEvent = { session: number } & (
  | { type: "opened"; path: string; datagramHeadroom: number; keepsDatagramBuffer: boolean }
  | { type: "datagram"; bytes: string }
  | { type: "stream"; stream: number }
  | { type: "closed"; close: SessionClose }
);
