/**
 * One RTMP publication as a participant of a room: H.264 passes through untouched, AAC and MP3 become Opus, Opus of 20 ms passes through.
 * Sound and picture stay on one clock.
 */
import { formatOf, type PictureFormat as H264Format, isSameFormat } from "../fmp4/picture-format.ts";
import { SAMPLE_RATE_HZ } from "../programme/programme.ts";
import type { MemberIdentity } from "../room/gateway-access.ts";
import type { RoomAccess } from "../room/room-member.ts";
import { adtsFrame } from "../rtmp/aac-config.ts";
import type { Amf0Object } from "../rtmp/amf0.ts";
import type { IngestAudio, IngestControl, IngestEnd, IngestSink, IngestVideo } from "../rtmp/ingest-sink.ts";
import type { OpenSoundDecoder } from "../sound/sound-decoder.ts";
import { ForeignSoundInput } from "./foreign-sound.ts";
import { type OpusEncoder, openOpusEncoder } from "./opus-for-rooms.ts";
import { RoomPublisher } from "./room-publisher.ts";
import { SourceClock } from "./source-clock.ts";

/** What is offered where the sender does not say. */
const USUAL_FRAME_RATE = 30;
const USUAL_BITRATE_BPS = 6_000_000;
const MAX_FRAME_RATE = 240;
/** MP3 frames of MPEG-1 and MPEG-2. */
const MP3_SAMPLES = 1_152;

export interface RtmpParticipantOptions {
  room: string;
  member: MemberIdentity;
  access: RoomAccess;
  openDecoder: OpenSoundDecoder;
  /** What holds the connection. */
  control: IngestControl;
  onState(state: "running" | "ended", message: string): void;
  log(line: string): void;
}

export class RtmpParticipant implements IngestSink {
  /** Units that came before the room was entered. */
  early = 0;
  readonly #options: RtmpParticipantOptions;
  readonly #publisher: RoomPublisher;
  readonly #clock = new SourceClock();
  #isIn = false;
  #format: H264Format | undefined;
  #isOpening = false;
  #sound: ForeignSoundInput | undefined;
  #isSoundOpen = false;
  #encoder: OpusEncoder | undefined;
  #rate = USUAL_FRAME_RATE;
  #bitrateBps = USUAL_BITRATE_BPS;
  #isOver = false;

  constructor(options: RtmpParticipantOptions) {
    const { room, member, access, control, log } = options;
    this.#options = options;
    this.#publisher = new RoomPublisher(room, member, access, {
      // Nobody can ask an RTMP sender for a keyframe: it makes them as it was set up to.
      onKeyframeWanted: () => undefined,
      onEnd: (reason) => control.end(reason),
      log,
    });
    this.#enter().catch((error: unknown) => {
      const message = error instanceof Error ? error.message : String(error);
      log(`${member.identity} does not get into ${room}: ${message}`);
      control.end(`The room cannot be entered: ${message}.`);
    });
  }

  async #enter(): Promise<void> {
    this.#encoder = await openOpusEncoder();
    await this.#publisher.enter();
    if (this.#isOver) return this.#close();
    this.#isIn = true;
    this.#options.onState("running", "");
  }

  onMetadata(entries: Amf0Object): void {
    const rate = Number(entries.framerate);
    if (rate >= 1 && rate <= MAX_FRAME_RATE) this.#rate = rate;
    const kbps = Number(entries.videodatarate);
    // A stream's own word on its mean; single seconds need more.
    if (kbps >= 10 && kbps <= 100_000) this.#bitrateBps = Math.round(kbps * 1_500);
  }

  onVideo({ codec, ptsUs, dtsUs, keyframe, bytes }: IngestVideo): void {
    const captureUs = this.#clock.captureUs(dtsUs, ptsUs, this.#publisher.roomNowUs);
    if (!this.#isIn || codec !== "h264") {
      this.early++;
      return;
    }
    if (keyframe) this.#lookAtFormat(bytes);
    if (this.#format !== undefined) this.#publisher.pushPicture(captureUs, bytes);
  }

  /** The first picture, or one of another size: a track is opened for it. What comes until that is open waits for the next keyframe. */
  #lookAtFormat(bytes: Uint8Array): void {
    const format = formatOf(bytes);
    if (format === undefined || this.#isOpening) return;
    if (this.#format !== undefined && isSameFormat(this.#format, format)) return;
    this.#isOpening = true;
    this.#publisher
      .openPicture({
        codec: format.codec,
        width: format.width,
        height: format.height,
        frameRate: this.#rate,
        maxBitrateBps: this.#bitrateBps,
      })
      .then(
        () => {
          this.#format = format;
        },
        (error: unknown) =>
          this.#options.log(`the picture of ${this.#options.member.identity} is refused: ${error}`),
      )
      .finally(() => {
        this.#isOpening = false;
      });
  }

  onAudio(unit: IngestAudio): void {
    const captureUs = this.#clock.captureUs(unit.timeUs, unit.timeUs, this.#publisher.roomNowUs);
    if (!this.#isIn) {
      this.early++;
      return;
    }
    this.#openSound();
    if (unit.codec === "opus") return this.#publisher.pushSound(captureUs, unit.bytes, undefined);
    const format = unit.codec === "aac" ? "aac-adts" : "mp3";
    this.#sound ??= new ForeignSoundInput(format, this.#options.openDecoder, {
      onBlock: (block, blockUs) => {
        if (this.#encoder !== undefined)
          this.#publisher.pushSound(Math.round(blockUs), this.#encoder.encode(block), block);
      },
      onFailure: (message) => {
        this.#options.log(`the sound of ${this.#options.member.identity} is lost: ${message}`);
        this.#sound = undefined;
      },
    });
    if (unit.codec === "mp3") return this.#sound.push(unit.bytes, captureUs, MP3_SAMPLES);
    const { aac } = unit;
    const frame = aac === undefined ? undefined : adtsFrame(aac, unit.bytes);
    if (aac === undefined || frame === undefined) return;
    this.#sound.push(frame, captureUs, (aac.frameSamples * SAMPLE_RATE_HZ) / aac.sampleRateHz);
  }

  #openSound(): void {
    if (this.#isSoundOpen) return;
    this.#isSoundOpen = true;
    this.#publisher.openSound().catch((error: unknown) => {
      this.#options.log(`the sound of ${this.#options.member.identity} is refused: ${String(error)}`);
    });
  }

  onEnd({ message }: IngestEnd): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const { early } = this;
    const lost = `early ${early}, before a track was open ${this.#publisher.unpublished}, decoder busy ${this.#sound?.droppedFrames ?? 0}`;
    this.#options.log(`${this.#options.member.identity} has ended: ${message} Units left out: ${lost}.`);
    this.#options.onState("ended", message);
    if (this.#isIn) this.#close();
  }

  #close(): void {
    this.#sound?.close();
    this.#encoder?.free();
    this.#encoder = undefined;
    this.#publisher.leave().catch((error: unknown) => this.#options.log(`leaving failed: ${String(error)}`));
  }
}
