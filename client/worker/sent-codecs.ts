/** In which codec our own pictures are sent: chosen when they are published, and anew when the room changes. */
import type { Source } from "../../core/wire/room-model.ts";
import { RoomError } from "../sdk/api.ts";
import type { WorkerLocalTrack } from "./local-track.ts";
import { chooseEncoding } from "./picture-encodings.ts";
import type { VideoSendSettings } from "./video-sender.ts";
import type { FromWorker, VideoCaptureSettings } from "./worker-messages.ts";

const NO_ENCODER =
  "This browser cannot send pictures: it has no video encoder. You can still be heard, and hear and see the others.";

/** Chooses codecs, and goes on in another one where that is better for the room now. Failures are left: what was sent goes on being sent. */
export class SentCodecs {
  readonly #tracks: ReadonlyMap<Source, WorkerLocalTrack>;
  /** What everybody in the room can decode; undefined while we are out of it. */
  readonly #decodable: () => readonly string[] | undefined;
  readonly #post: (message: FromWorker) => void;
  #turn: Promise<void> = Promise.resolve();

  constructor(
    tracks: ReadonlyMap<Source, WorkerLocalTrack>,
    decodable: () => readonly string[] | undefined,
    post: (message: FromWorker) => void,
  ) {
    this.#tracks = tracks;
    this.#decodable = decodable;
    this.#post = post;
  }

  /** How a picture is to be encoded now. Rejects with RoomError, code "no-encoder". */
  async choose(settings: VideoCaptureSettings): Promise<VideoSendSettings> {
    const encoding = await chooseEncoding(settings.codecs, this.#decodable() ?? [], settings);
    if (encoding === undefined) throw new RoomError("no-encoder", NO_ENCODER);
    return { ...settings, encoding };
  }

  /** What everybody can decode has changed. One change after the other, each by what holds when its turn has come. */
  follow(): void {
    this.#turn = this.#turn.then(async () => {
      for (const track of [...this.#tracks.values()]) await this.#look(track).catch(() => undefined);
    });
  }

  async #look(track: WorkerLocalTrack): Promise<void> {
    const { settings, source } = track;
    if (settings === undefined || track.trackId === undefined) return;
    const encoding = await chooseEncoding(settings.codecs, this.#decodable() ?? [], settings);
    if (encoding === undefined || encoding.codec === settings.encoding.codec) return;
    this.#post({ type: "own-track", source, trackId: await track.switchTo(encoding) });
  }
}
