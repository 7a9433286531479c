/** What the room page shows as tiles, read from a Room: one a participant and one a shared screen. */
import type { LocalTrack, RemoteParticipant, RemoteTrack, Room } from "../sdk/api.ts";

export interface Tile {
  /** Stays the same for as long as the tile lives. */
  key: string;
  kind: "camera" | "screen";
  identity: string;
  name: string;
  own: boolean;
  /** The picture; absent when there is none to show (no camera, muted). */
  picture: RemoteTrack | LocalTrack | undefined;
  /** Why a picture that is sent cannot be shown, as a sentence; else empty. */
  problem: string;
  microphone: "on" | "muted" | "none";
  speaking: boolean;
  /** Tracks whose figures belong to this tile. */
  trackIds: number[];
}

/** Own tile first, then the others in joining order; screens after the tile of whoever shares. */
export function tilesOf(room: Room): Tile[] {
  const tiles = room.grants.hidden ? [] : ownTiles(room);
  for (const participant of room.participants.values())
    tiles.push(...remoteTiles(participant, room.speakers));
  return tiles;
}

/** The tile that gets the stage: the pinned one, else the latest screen of somebody else. */
export function stageTile(tiles: readonly Tile[], pinnedKey: string): Tile | undefined {
  const pinned = tiles.find((tile) => tile.key === pinnedKey);
  return pinned ?? tiles.findLast((tile) => tile.kind === "screen" && !tile.own);
}

/**
 * The tiles that get one of `places`, order kept. When too many want one, ourselves, speakers and pictures go
 * before the rest.
 */
export function chooseTiles(tiles: readonly Tile[], places: number): Tile[] {
  if (tiles.length <= places) return [...tiles];
  const worth = (tile: Tile) =>
    (tile.kind === "screen" ? 8 : 0) + (tile.own ? 4 : 0) + (tile.speaking ? 2 : 0) + (tile.picture ? 1 : 0);
  const chosen = new Set(
    tiles
      .map((tile, index) => ({ tile, index, worth: worth(tile) }))
      .sort((one, other) => other.worth - one.worth || one.index - other.index)
      .slice(0, Math.max(0, places))
      .map(({ tile }) => tile),
  );
  return tiles.filter((tile) => chosen.has(tile));
}

function ownTiles(room: Room): Tile[] {
  const microphone = room.localTracks.get("microphone");
  const camera = room.localTracks.get("camera");
  const screen = room.localTracks.get("screen");
  const base = { identity: room.identity, name: room.displayName, own: true };
  const tiles: Tile[] = [
    {
      ...base,
      key: "own/camera",
      kind: "camera",
      picture: shown(camera),
      problem: "",
      microphone:
        microphone === undefined ? "none" : microphone.muted || microphone.silenced ? "muted" : "on",
      speaking: room.speakers.includes(room.identity) && microphone?.muted === false,
      trackIds: idsOf(camera, microphone),
    },
  ];
  if (screen !== undefined) {
    const sound = room.localTracks.get("screen-audio");
    tiles.push({
      ...base,
      key: "own/screen",
      kind: "screen",
      picture: shown(screen),
      problem: "",
      microphone: "on",
      speaking: false,
      trackIds: idsOf(screen, sound),
    });
  }
  return tiles;
}

function remoteTiles(participant: RemoteParticipant, speakers: readonly string[]): Tile[] {
  const tracks = [...participant.tracks.values()];
  const microphone = tracks.find((track) => track.source === "microphone");
  const camera = tracks.find((track) => track.source === "camera");
  const base = { identity: participant.identity, name: participant.name, own: false };
  const tiles: Tile[] = [
    {
      ...base,
      key: `${participant.identity}/camera`,
      kind: "camera",
      picture: showable(camera),
      problem: problemOf(camera),
      microphone: microphone === undefined ? "none" : microphone.muted ? "muted" : "on",
      speaking: speakers.includes(participant.identity),
      trackIds: idsOf(camera, microphone),
    },
  ];
  // Numbered, not named by track id: after a reconnect the same track has another id.
  for (const [number, screen] of tracks.filter((track) => track.source === "screen").entries()) {
    tiles.push({
      ...base,
      key: `${participant.identity}/screen/${number}`,
      kind: "screen",
      picture: showable(screen),
      problem: problemOf(screen),
      microphone: "on",
      speaking: false,
      trackIds: idsOf(
        screen,
        tracks.find((track) => track.source === "screen-audio"),
      ),
    });
  }
  return tiles;
}

function shown<T extends RemoteTrack | LocalTrack>(track: T | undefined): T | undefined {
  return track?.muted === false ? track : undefined;
}

function showable(track: RemoteTrack | undefined): RemoteTrack | undefined {
  return track?.problem === undefined ? shown(track) : undefined;
}

function problemOf(track: RemoteTrack | undefined): string {
  return track?.muted === false ? (track.problem ?? "") : "";
}

function idsOf(...tracks: (RemoteTrack | LocalTrack | undefined)[]): number[] {
  return tracks.flatMap((track) => (track === undefined ? [] : [track.trackId]));
}
