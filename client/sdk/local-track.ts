/** One of our own tracks as the application holds it: the device on the page, its encoder in the worker. */
import type { Source } from "../../core/wire/room-model.ts";
import type { CaptureInput } from "../worker/capture-input.ts";
import type { LocalTrack } from "./api.ts";
import { type CaptureFeed, feedOfPictures, feedOfSound } from "./capture-feed.ts";
import type { WorkerPort } from "./worker-port.ts";

export class LiveLocalTrack implements LocalTrack {
  readonly source: Source;
  readonly kind: "audio" | "video";
  trackId = 0;
  muted: boolean;
  silenced = false;
  mediaStreamTrack: MediaStreamTrack;
  readonly #port: WorkerPort;
  readonly #onStop: (track: LiveLocalTrack) => void;
  #feed: CaptureFeed<unknown> | undefined;
  #stopped = false;

  constructor(
    source: Source,
    mediaStreamTrack: MediaStreamTrack,
    muted: boolean,
    port: WorkerPort,
    onStop: (track: LiveLocalTrack) => void,
  ) {
    this.source = source;
    this.kind = mediaStreamTrack.kind === "audio" ? "audio" : "video";
    this.mediaStreamTrack = mediaStreamTrack;
    this.muted = muted;
    this.#port = port;
    this.#onStop = onStop;
  }

  /** Takes over what reads the device; returns what is to be handed to the worker. */
  readFrom<Frame>(feed: CaptureFeed<Frame>): CaptureInput<Frame> {
    this.#feed?.stop();
    this.#feed = feed;
    if (this.#stopped) feed.stop();
    return feed.input;
  }

  /** Encodes another device from now on; the published track stays. */
  async replace(next: MediaStreamTrack): Promise<void> {
    const former = this.mediaStreamTrack;
    this.mediaStreamTrack = next;
    const { source } = this;
    if (this.kind === "audio") {
      const input = this.readFrom(await feedOfSound(next));
      await this.#port.request({ operation: "replace-audio", source, input }, [input]);
    } else {
      const input = this.readFrom(feedOfPictures(next));
      await this.#port.request({ operation: "replace-video", source, input }, [input]);
    }
    former.stop();
  }

  async setMuted(muted: boolean): Promise<void> {
    this.muted = muted;
    // The device, too: browsers show by it that nothing is recorded.
    this.mediaStreamTrack.enabled = !muted;
    await this.#port.request({ operation: "mute-own", source: this.source, muted });
  }

  /** Somebody else muted us. */
  applyMute(muted: boolean): void {
    this.muted = muted;
    this.mediaStreamTrack.enabled = !muted;
  }

  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.release();
    await this.#port.request({ operation: "unpublish", source: this.source });
  }

  /** Lets the device go without a word to the room. */
  release(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#feed?.stop();
    this.mediaStreamTrack.stop();
    this.#onStop(this);
  }
}
