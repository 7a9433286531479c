/**
 * What the address of a room's HLS answers when there is no output any more: its latest recording as VOD, up to where it was shown live.
 * What was recorded after that is not in it, and a recording that was never shown is nobody's to see here.
 */
import type { Found } from "../hls/live-rendition.ts";
import type { History } from "../recording/history.ts";
import { mediaFromHls, RecordingPlaylist } from "../recording/playlist.ts";
import type { RecordingIndex } from "../recording/recording-index.ts";
import { StorageError } from "../storage/storage.ts";

export interface PastHlsOptions {
  history: History;
  /** Somebody wants the room to have HLS, here or on another bridge; undefined = it is not known yet. */
  isWanted(room: string): boolean | undefined;
}

interface Written {
  playlist: RecordingPlaylist;
  untilUs: number;
  body: Uint8Array;
}

export class PastHls {
  readonly #options: PastHlsOptions;
  /** Playlists as they were answered last; they go when the history lets go of their index. */
  readonly #written = new WeakMap<RecordingIndex, Written>();

  constructor(options: PastHlsOptions) {
    this.#options = options;
  }

  /** UTF-8 of a VOD playlist, to be served as /hls/<room>/<name>. Never rejects. */
  async playlist(room: string): Promise<Found<Uint8Array>> {
    const isWanted = this.#options.isWanted(room);
    if (isWanted === undefined) {
      return { status: 503, message: "This bridge has only just started: try again in a few seconds." };
    }
    const none = { status: 404, message: "That room has no HLS now." } as const;
    // An end would make players stop which wait for an output that is starting, or moving to another bridge.
    if (isWanted) return none;
    try {
      const found = await this.#options.history.lastShown(room);
      if (found === undefined) return none;
      const { info, index } = found.played;
      const body = this.#textOf(index, info.id, found.untilUs);
      return body === undefined ? none : { body };
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      return { status: 503, message: "The recording of that room cannot be read now: try again later." };
    }
  }

  /** Undefined: no segment of it was shown whole. */
  #textOf(index: RecordingIndex, id: string, untilUs: number): Uint8Array | undefined {
    if (index.countOverAt(untilUs) === 0) return undefined;
    const before = this.#written.get(index);
    if (before?.untilUs === untilUs) return before.body;
    const playlist = before?.playlist ?? new RecordingPlaylist(index, mediaFromHls(id));
    const body = new TextEncoder().encode(playlist.text(true, untilUs));
    this.#written.set(index, { playlist, untilUs, body });
    return body;
  }
}
