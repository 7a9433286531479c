/** How outputs and ingests of a room are spoken of: states, figures, names. */
import type { JobState, JobStatus, PictureChoice } from "../../../core/wire/bridge-jobs.ts";
import type { Room } from "../../sdk/api.ts";
import { latencyText, sizeText } from "../audience/player-text.ts";
import type { RoomIngest, RoomOutput } from "./outputs-api.ts";

export type StateTone = "good" | "busy" | "bad" | "quiet";

const STATES: Readonly<Record<JobState, { word: string; tone: StateTone }>> = {
  starting: { word: "Starting…", tone: "busy" },
  running: { word: "Running", tone: "good" },
  reconnecting: { word: "Reconnecting…", tone: "busy" },
  failed: { word: "Failed", tone: "bad" },
  ended: { word: "Ended", tone: "quiet" },
};

/** `status` null: nobody has taken the job yet. */
export function stateOf(status: { state: JobState } | null): { word: string; tone: StateTone } {
  return status === null ? { word: "Waiting for a bridge…", tone: "busy" } : STATES[status.state];
}

/** An ingest whose program has not called yet has no bridge, and needs none. */
export function ingestStateOf(ingest: RoomIngest): { word: string; tone: StateTone } {
  if (ingest.status !== null) return stateOf(ingest.status);
  if (sourceSettings(ingest).length === 0) return { word: "No bridge takes it now", tone: "bad" };
  return { word: "Nobody sends yet", tone: "quiet" };
}

/** "1.9 s behind · 12 watching"; empty while there is nothing to say. */
export function figuresText(spec: RoomOutput["spec"], status: JobStatus | null): string {
  if (status === null) return "";
  const { type } = spec;
  const parts: string[] = [];
  if (type === "recording" && spec.participants) parts.push("with a file for each person");
  if (status.latencyMs !== null && type !== "recording")
    parts.push(`${latencyText(status.latencyMs)} behind`);
  if (status.audience !== undefined) {
    parts.push(`${status.audience}\u00A0${type === "mp3" ? "listening" : "watching"}`);
  }
  return parts.join(" · ");
}

/** One picture that an output may show, and how it is called. */
interface PictureOption {
  label: string;
  picture: PictureChoice;
}

/** Somebody whose picture alone may be shown. */
export interface PinnedPerson {
  identity: string;
  name: string;
}

/** Everybody whom others see. */
export function pinnedPeople(
  room: Pick<Room, "participants" | "grants" | "identity" | "displayName">,
): PinnedPerson[] {
  const others = [...room.participants.values()].map(({ identity, name }) => ({ identity, name }));
  return room.grants.hidden ? others : [{ identity: room.identity, name: room.displayName }, ...others];
}

export function isSamePicture(one: PictureChoice, other: PictureChoice): boolean {
  const pinned = one.mode === "pinned" && other.mode === "pinned";
  return pinned ? one.identity === other.identity : one.mode === other.mode;
}

export function pictureOptions(people: readonly PinnedPerson[]): PictureOption[] {
  const pinned = people.map(({ identity, name }): PictureOption => {
    return { label: `Only ${name}`, picture: { mode: "pinned", identity } };
  });
  return [
    { label: "Whoever speaks", picture: { mode: "speaker" } },
    { label: "Everybody (grid)", picture: { mode: "grid" } },
    ...pinned,
  ];
}

/** What a running output shows, where that is not the usual: "everybody". */
export function pictureText(spec: RoomOutput["spec"], people: readonly PinnedPerson[]): string {
  if (spec.type === "mp3") return "";
  const { picture } = spec;
  if (picture.mode === "grid") return "everybody";
  if (picture.mode === "none") return "no picture";
  if (picture.mode === "speaker") return "";
  const name = people.find(({ identity }) => identity === picture.identity)?.name;
  return `only ${name ?? picture.identity}`;
}

/** "84 MB sent · 12 pictures dropped". */
export function targetFigures(target: { bytesSent: number; dropped: number }): string {
  const sent = target.bytesSent === 0 ? "" : `${sizeText(target.bytesSent)} sent`;
  const dropped =
    target.dropped === 0
      ? ""
      : `${target.dropped} picture${target.dropped === 1 ? "" : "s"} dropped: too slow`;
  return [sent, dropped].filter((part) => part !== "").join(" · ");
}

/** What everybody in a room should know of its outputs. */
export interface OnAir {
  recording: boolean;
  live: boolean;
}

export function onAirOf(outputs: readonly RoomOutput[]): OnAir {
  const running = outputs.filter(
    ({ status }) => status?.state === "running" || status?.state === "reconnecting",
  );
  return {
    recording: running.some(({ spec }) => spec.type === "recording"),
    live: running.some(({ spec }) => spec.type !== "recording"),
  };
}

/** Identity of an ingest that is called `name`: letters and digits of it, and six more so that two may share a name. */
export function ingestIdentity(name: string, random: () => number): string {
  const letters = [
    ...name
      .normalize("NFKD")
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, "-"),
  ]
    .slice(0, 24)
    .join("");
  const stem = letters.replace(/^-+|-+$/g, "") || "source";
  const tail = Array.from({ length: 6 }, () => Math.floor(random() * 36).toString(36)).join("");
  return `${stem}-${tail}`;
}

/** One thing to copy into the sending program. */
export interface SourceSetting {
  label: string;
  value: string;
  secret: boolean;
}

/** What the sending program is to be told, as OBS and Icecast clients call it. Empty until a bridge has taken the job. */
export function sourceSettings(ingest: RoomIngest): readonly SourceSetting[] {
  const { rtmp, rtmps, icecast } = ingest.urls;
  if (ingest.spec.type === "rtmp" && rtmp !== undefined && rtmp !== "") {
    return [
      { label: "Server", value: withoutKey(rtmp, ingest.streamKey), secret: false },
      ...(rtmps ? [{ label: "Server (TLS)", value: rtmps, secret: false }] : []),
      { label: "Stream key", value: ingest.streamKey, secret: true },
    ];
  }
  if (ingest.spec.type === "icecast" && icecast !== undefined && icecast !== "") {
    return [
      { label: "Address", value: icecast, secret: icecast.includes(ingest.streamKey) },
      { label: "User", value: "source", secret: false },
      { label: "Password", value: ingest.streamKey, secret: true },
    ];
  }
  return [];
}

/** OBS puts the key behind the server by itself. */
function withoutKey(url: string, key: string): string {
  return url.endsWith(`/${key}`) ? url.slice(0, -key.length - 1) : url;
}
