/** A room's HLS: its renditions and the multivariant playlist over them (RFC 8216bis, 4.4.6). */
import type { Clock } from "../../core/clock.ts";
import { type Found, LiveRendition } from "./live-rendition.ts";
import type { SegmentHistory } from "./segment-history.ts";
import { TsRendition } from "./ts-rendition.ts";

const MAIN_SCORE = 2;
const OPUS_SCORE = 1;

export interface HlsRoomOptions {
  clock: Clock;
  /** A recording of the same parts, whose segments are listed in front of those in memory. */
  history?: SegmentHistory;
  /** There is a rendition with Opus beside the one with AAC, without history. */
  withOpus?: boolean;
}

export class HlsRoom {
  /** H.264 and AAC: give it the parts. */
  readonly main: LiveRendition;
  /** The same picture with Opus. */
  readonly opus: LiveRendition | undefined;
  /** `main` for old players. */
  readonly ts: TsRendition;

  constructor({ clock, history, withOpus }: HlsRoomOptions) {
    const open = (playlistName: string, prefix: string, reports: boolean): LiveRendition =>
      new LiveRendition({
        clock,
        playlistName,
        prefix,
        history: reports ? history : undefined,
        reports: () => this.#reportsFor(playlistName),
      });
    this.main = open("main.m3u8", "", true);
    this.ts = new TsRendition(this.main);
    this.opus = withOpus === true ? open("opus.m3u8", "opus-", false) : undefined;
  }

  get renditions(): readonly LiveRendition[] {
    return this.opus === undefined ? [this.main] : [this.main, this.opus];
  }

  /** Players that wait for a playlist now. */
  get audience(): number {
    return this.renditions.reduce((sum, { waiting }) => sum + waiting, 0);
  }

  /** From capture to being there for players, milliseconds; null before the first part. */
  get latencyMs(): number | null {
    return this.main.latencyMs;
  }

  get ended(): boolean {
    return this.main.ended;
  }

  /** UTF-8 of the multivariant playlist; waits for the first segment of each rendition. */
  async multivariant(signal?: AbortSignal): Promise<Found<Uint8Array>> {
    const [waited] = await Promise.all(this.renditions.map((rendition) => rendition.described(signal)));
    const lines = this.renditions.flatMap((rendition) => {
      const about = rendition.description;
      if (about === undefined) return [];
      const { width, height } = about.resolution ?? {};
      const size = width === undefined ? "" : `,RESOLUTION=${width}x${height}`;
      // [4.4.6.2] For players that go by it AAC is the better one, since it has the recording in front of it.
      const score =
        this.opus === undefined ? "" : `,SCORE=${rendition === this.opus ? OPUS_SCORE : MAIN_SCORE}`;
      const rate = `BANDWIDTH=${about.peakBps},AVERAGE-BANDWIDTH=${about.averageBps}`;
      return [`#EXT-X-STREAM-INF:${rate},CODECS="${about.codecs}"${size}${score}`, rendition.playlistName];
    });
    if (waited !== "ready" || lines.length === 0) {
      return { status: 503, message: "The room has nothing to show yet: try again in a few seconds." };
    }
    const text = ["#EXTM3U", "#EXT-X-VERSION:9", "#EXT-X-INDEPENDENT-SEGMENTS", ...lines, ""].join("\n");
    return { body: new TextEncoder().encode(text) };
  }

  #reportsFor(playlistName: string): { uri: string; sequence: number; part: number }[] {
    return this.renditions.flatMap((rendition) => {
      const newest = rendition.newest;
      if (rendition.playlistName === playlistName || newest === undefined) return [];
      return [{ uri: rendition.playlistName, ...newest }];
    });
  }
}
