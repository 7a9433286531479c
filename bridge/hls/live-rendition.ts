/**
 * One live rendition: parts come in from the programme, playlists, init segments, segments and parts go out by name. What is asked for a
 * little too early waits. Playlists are made once a part, whoever asks.
 */
import type { Clock } from "../../core/clock.ts";
import type { InitSegment, MediaPart, MediaPartSink } from "../fmp4/media-part.ts";
import { MAX_HISTORY_SEGMENTS, MAX_PARTS_AHEAD, MAX_SEGMENTS_AHEAD } from "./limits.ts";
import { type LiveView, livePlaylist } from "./media-playlist.ts";
import type { Directives } from "./playlist-query.ts";
import type { HistorySegment, SegmentHistory } from "./segment-history.ts";
import { type HeldSegment, SegmentWindow } from "./segment-window.ts";
import { type Waited, WaitingList } from "./waiting-list.ts";

/** A resource, or why there is none: 400 = asked wrongly, 404 = there is none, 503 = not now. */
export type Found<T> = { body: T } | { status: 400 | 404 | 503; message: string };

export interface RenditionOptions {
  clock: Clock;
  /** Of its playlist, beside the multivariant one: `main.m3u8`. */
  playlistName: string;
  /** Begins the names of its resources, so that renditions of a room do not share any. */
  prefix: string;
  history?: SegmentHistory | undefined;
  /** How far the other renditions of the room are. */
  reports?(): LiveView["reports"];
}

export class LiveRendition implements MediaPartSink {
  readonly isPublic = true;
  readonly playlistName: string;
  readonly #options: RenditionOptions;
  readonly #waiting: WaitingList;
  #window: SegmentWindow | undefined;
  #pendingInit: InitSegment | undefined;
  #ended = false;
  /** Playlists as they are now, whole and delta; emptied when anything changes. */
  readonly #playlists = new Map<boolean, Uint8Array>();
  /** From capture of a part's first sample to its being there, milliseconds; null before the first. */
  latencyMs: number | null = null;

  constructor(options: RenditionOptions) {
    this.#options = options;
    this.playlistName = options.playlistName;
    this.#waiting = new WaitingList(options.clock);
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Requests that wait now: about one a player. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** What a multivariant playlist says of it; undefined before the first segment is complete. */
  get description():
    | (Pick<InitSegment, "codecs" | "resolution"> & { peakBps: number; averageBps: number })
    | undefined {
    const window = this.#window;
    const init = window?.newestInit;
    if (window === undefined || init === undefined || window.peakBps === 0) return undefined;
    const { codecs, resolution } = init;
    return { codecs, resolution, peakBps: window.peakBps, averageBps: window.averageBps };
  }

  /** Newest segment and part in the playlist. */
  get newest(): { sequence: number; part: number } | undefined {
    const newest = this.#window?.newest;
    return newest === undefined ? undefined : { sequence: newest.sequence, part: newest.parts.length - 1 };
  }

  onInit(init: InitSegment): void {
    if (this.#window === undefined) this.#pendingInit = init;
    else this.#window.addInit(init);
  }

  onPart(part: MediaPart): void {
    if (this.#ended) return;
    this.#window ??= this.#openWindow(part);
    this.#window.addPart(part);
    this.latencyMs = Math.max(0, (this.#options.clock.nowUs() - part.startUs) / 1000);
    this.#changed();
  }

  onEnd(): void {
    this.#window?.complete();
    this.#ended = true;
    this.#changed();
  }

  /** What the directives ask for is in the playlist. */
  has({ sequence, part }: Directives): boolean {
    return this.#has(sequence, part);
  }

  /** UTF-8 of the playlist that the directives ask for. Waits as they say. */
  async playlist(directives: Directives, signal?: AbortSignal): Promise<Found<Uint8Array>> {
    const { sequence, part } = directives;
    if (this.#ended && this.#window === undefined)
      return { status: 404, message: "The programme had nothing." };
    if (sequence !== undefined && this.#isTooFarAhead(sequence, part)) {
      return { status: 400, message: "That segment or part is too far ahead: ask for what comes next." };
    }
    const waited = await this.#waiting.until(() => this.#has(sequence, part), signal);
    return waited === "ready" ? { body: this.#render(directives.skip) } : refusal(waited);
  }

  /** Resolves when the multivariant playlist can be made. */
  async described(signal?: AbortSignal): Promise<Waited> {
    return this.#waiting.until(() => this.description !== undefined || this.#ended, signal);
  }

  /** Bytes of an init segment, segment or part by name. The part that comes next is waited for. */
  async resource(name: string, signal?: AbortSignal): Promise<Found<Uint8Array>> {
    const none = { status: 404, message: "There is no such segment, or no longer." } as const;
    const { prefix } = this.#options;
    const asked = /^(init|s|p)(\d{1,15})(?:\.(\d{1,6}))?\.(mp4|m4s)$/.exec(name.slice(prefix.length));
    if (!name.startsWith(prefix) || asked === null) return none;
    const [, kind, first, second, ending] = asked;
    if ((kind === "init") !== (ending === "mp4") || (kind === "s") !== (second === undefined)) return none;
    const number = Number(first);
    if (kind === "init") {
      const init = number === this.#window?.first ? this.#window.init(Number(second)) : undefined;
      return init === undefined ? none : { body: init.bytes };
    }
    if (kind === "s") {
      const bytes = this.#window?.segment(number)?.bytes;
      return bytes === undefined ? none : { body: bytes };
    }
    const part = Number(second);
    const next = this.#window?.next;
    if (next?.sequence === number && next.part === part && !this.#ended) {
      const waited = await this.#waiting.until(() => this.#has(number, part), signal);
      if (waited !== "ready") return refusal(waited);
    }
    const bytes = this.#window?.segment(number)?.parts[part]?.bytes;
    return bytes === undefined ? none : { body: bytes };
  }

  /** Segments of the playlist that are in memory, oldest first. */
  get listed(): readonly HeldSegment[] {
    return this.#window?.listed ?? [];
  }

  /** Discontinuities in front of them. */
  get discontinuities(): number {
    return this.#window?.discontinuities ?? 0;
  }

  /** A complete segment with what its reader needs. */
  whole(sequence: number): { segment: HeldSegment; init: Uint8Array; bytes: Uint8Array } | undefined {
    const segment = this.#window?.segment(sequence);
    const init = segment === undefined ? undefined : this.#window?.init(segment.initIndex);
    if (segment?.bytes === undefined || init === undefined) return undefined;
    return { segment, init: init.bytes, bytes: segment.bytes };
  }

  #openWindow(part: MediaPart): SegmentWindow {
    // Seconds since 1970, so that numbers go on upwards when another bridge takes over: segments last a second at least, on the whole.
    const window = new SegmentWindow(this.#options.prefix, Math.floor(part.startUs / 1e6));
    if (this.#pendingInit !== undefined) window.addInit(this.#pendingInit);
    return window;
  }

  #changed(): void {
    this.#playlists.clear();
    this.#waiting.check();
  }

  #has(sequence: number | undefined, part: number | undefined): boolean {
    const window = this.#window;
    if (this.#ended) return true;
    if (window === undefined || window.newest === undefined) return false;
    if (sequence === undefined) return true;
    const { next } = window;
    // Without a part the whole segment is meant.
    if (part === undefined) return next.sequence > sequence;
    if (next.sequence === sequence) return next.part > part;
    // A part behind the last of a complete segment is the first of the next one.
    const segment = window.segment(sequence);
    const isBehindLast = segment !== undefined && part >= segment.parts.length;
    if (next.sequence === sequence + 1 && isBehindLast) return next.part > 0;
    return next.sequence > sequence;
  }

  #isTooFarAhead(sequence: number, part: number | undefined): boolean {
    const next = this.#window?.next;
    if (next === undefined || this.#ended) return false;
    const newest = next.part === 0 ? next.sequence - 1 : next.sequence;
    if (sequence > newest + MAX_SEGMENTS_AHEAD) return true;
    return part !== undefined && sequence === next.sequence && part >= next.part + MAX_PARTS_AHEAD;
  }

  #render(skip: boolean): Uint8Array {
    let playlist = this.#playlists.get(skip);
    if (playlist === undefined) {
      playlist = new TextEncoder().encode(livePlaylist(this.#view(), skip));
      this.#playlists.set(skip, playlist);
    }
    return playlist;
  }

  #view(): LiveView {
    const window = this.#window!;
    const segments = window.listed;
    const first = segments[0]!;
    const history = this.#historyBefore(first.startUs);
    const { sequence, part } = window.next;
    const inHistory = history.filter(({ discontinuity }) => discontinuity).length;
    return {
      sequence: first.sequence - history.length,
      discontinuitySequence: window.discontinuities - inHistory,
      history,
      segments,
      hintUri: `${this.#options.prefix}p${sequence}.${part}.m4s`,
      ended: this.#ended,
      reports: this.#options.reports?.() ?? [],
    };
  }

  #historyBefore(startUs: number): readonly HistorySegment[] {
    const segments = this.#options.history?.segmentsBefore(startUs) ?? [];
    return segments.length > MAX_HISTORY_SEGMENTS ? segments.slice(-MAX_HISTORY_SEGMENTS) : segments;
  }
}

function refusal(waited: Exclude<Waited, "ready">): { status: 503; message: string } {
  const messages = {
    full: "Too many requests wait already: try again later.",
    late: "What you wait for did not come: ask for the playlist without waiting.",
    gone: "The client has gone.",
  };
  return { status: 503, message: messages[waited] };
}
