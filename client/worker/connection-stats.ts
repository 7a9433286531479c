/** The connection's part of getStats. */
import type { Participant } from "../../core/participant/participant-api.ts";
import type { ConnectionStats, RoomState, TrackStats } from "../sdk/api.ts";

export interface ConnectionFacts {
  relayId: string;
  state: RoomState;
  reconnects: number;
  joinMs: number;
}

export function connectionStats(
  participant: Participant | undefined,
  facts: ConnectionFacts,
  tracks: readonly TrackStats[],
): ConnectionStats {
  const link = participant?.linkStats();
  const rttMs = link?.rttMs;
  const sendRateBps = link?.sendRateBps;
  const firstFrame = least(tracks, "timeToFirstFrameMs");
  const firstAudio = least(tracks, "timeToFirstAudioMs");
  return {
    type: "connection",
    transport: participant?.isOverTcp === true ? "websocket" : "webtransport",
    relayId: facts.relayId,
    state: facts.state,
    ...(rttMs === undefined ? {} : { rttMs: Math.round(rttMs * 10) / 10 }),
    ...(sendRateBps === undefined ? {} : { sendRateBps: Math.round(sendRateBps) }),
    lanes: link?.lanes ?? 0,
    bytesSent: sum(tracks, "outbound"),
    bytesReceived: sum(tracks, "inbound"),
    datagramsSent: link?.datagramsSent ?? 0,
    datagramsReceived: link?.datagramsReceived ?? 0,
    datagramsLost: link?.datagramsLostInbound ?? 0,
    datagramsDropped: { ...link?.dropped, ...link?.receiveDropped },
    reconnects: facts.reconnects,
    joinMs: Math.round(facts.joinMs),
    timeToFirstFrameMs: firstFrame ?? Math.round(facts.joinMs),
    timeToFirstAudioMs: firstAudio ?? Math.round(facts.joinMs),
  };
}

function sum(tracks: readonly TrackStats[], direction: TrackStats["direction"]): number {
  return tracks.reduce((total, track) => total + (track.direction === direction ? track.bytes : 0), 0);
}

function least(
  tracks: readonly TrackStats[],
  name: "timeToFirstFrameMs" | "timeToFirstAudioMs",
): number | undefined {
  let found: number | undefined;
  for (const track of tracks) {
    const value = track[name];
    if (value !== undefined) found = Math.min(found ?? value, value);
  }
  return found;
}
