/** What a session tells about itself: how it ended, what it carried, what was dropped and why. */

/** How a session ended. `clean`: one side closed it; otherwise the connection was lost or aborted, and `code` is 0. */
export interface SessionCloseInfo {
  readonly code: number;
  readonly reason: string;
  readonly clean: boolean;
}

/** Why a datagram or stream of a session was dropped. */
export const SESSION_DROP_REASONS = [
  /** More than `maxPendingDatagrams` sends unsettled. */
  "queue-full",
  /** Longer than `maxDatagramSize` at that moment. */
  "too-large",
  /** QUIC refused it: the path's maximum has just shrunk, or the connection is going. */
  "send-failed",
  /** Sent or received after the session ended. */
  "closed",
  /** Received while nobody had set a handler. */
  "no-handler",
  /** More than `maxHeldStreams` streams before there was a handler. */
  "held-streams-full",
] as const;
export type SessionDropReason = (typeof SESSION_DROP_REASONS)[number];

export interface SessionStats {
  /** Handed to QUIC; those that it then refused are in `dropped["send-failed"]` too. */
  readonly datagramsSent: number;
  readonly datagramBytesSent: number;
  readonly datagramsReceived: number;
  readonly datagramBytesReceived: number;
  readonly datagramsPending: number;
  readonly streamsOpened: number;
  readonly streamsAccepted: number;
  readonly dropped: Readonly<Record<SessionDropReason, number>>;
}
