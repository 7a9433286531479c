/** A room's HLS in simulated time: a played programme, cut into parts, and a checker that loads every playlist whole and as a delta. */
import { PlayedProgramme } from "../../../test/bridge/played-programme.ts";
import { VirtualClock } from "../../../test/sim/virtual-clock.ts";
import type { InitSegment, MediaPart } from "../../fmp4/media-part.ts";
import { openProgrammeParts, type ProgrammeParts } from "../../fmp4/programme-to-parts.ts";
import { openPlayedEncoder } from "../../fmp4/testing/played-encoder.ts";
import { BlackPicture } from "../../picture/black-picture.ts";
import { BLOCK_US } from "../../programme/programme.ts";
import { HlsRoom } from "../hls-room.ts";
import type { SegmentHistory } from "../segment-history.ts";
import { PlaylistChecker } from "./playlist-checker.ts";

export interface Scene {
  seconds: number;
  /** Pictures a second; 0 = none, and nobody's is there. */
  fps: number;
  size?: [number, number];
  /** Seconds from keyframe to keyframe; where undefined they come when asked for. */
  gopSeconds?: number;
  /** How far B-frames move keyframes back. */
  reorderUs?: number;
  /** Somebody's picture is there, but stands still. */
  stalled?: boolean;
}

export class PlayedRoom {
  readonly clock = new VirtualClock();
  readonly programme = new PlayedProgramme();
  readonly whole = new PlaylistChecker();
  readonly delta = new PlaylistChecker();
  readonly inits: InitSegment[] = [];
  readonly parts: MediaPart[] = [];
  readonly room: HlsRoom;
  #writer!: ProgrammeParts;
  #unchecked: Promise<unknown>[] = [];
  readonly #startUs = this.clock.nowUs();
  #blocks = 0;
  #pictureUs = 0;

  constructor(history?: SegmentHistory) {
    this.room = new HlsRoom({ clock: this.clock, ...(history === undefined ? {} : { history }) });
  }

  get startUs(): number {
    return this.#startUs;
  }

  get dropped(): ProgrammeParts["dropped"] {
    return this.#writer.dropped;
  }

  async open(withoutPicture: "black" | "sound", hasPicture: boolean): Promise<void> {
    this.programme.hasPicture = hasPicture;
    this.#writer = await openProgrammeParts({
      programme: this.programme,
      openEncoder: openPlayedEncoder,
      codec: "mp4a.40.2",
      bitrateBps: 128_000,
      withoutPicture,
      onProblem: (error) => {
        throw error;
      },
    });
    this.#writer.add({
      onInit: (init) => {
        this.inits.push(init);
        this.room.main.onInit(init);
      },
      onPart: (part) => {
        this.parts.push(part);
        this.room.main.onPart(part);
        this.#check();
      },
      onEnd: () => this.room.main.onEnd(),
    });
  }

  async play(scene: Scene): Promise<void> {
    const black = new BlackPicture(...(scene.size ?? [320, 180]));
    const stepUs = scene.fps === 0 ? Number.POSITIVE_INFINITY : Math.round(1e6 / scene.fps);
    const endBlock = this.#blocks + Math.round((scene.seconds * 1e6) / BLOCK_US);
    this.programme.hasPicture = scene.fps > 0 || scene.stalled === true;
    this.#pictureUs = Math.max(this.#pictureUs, this.#blocks * BLOCK_US);
    let keyframeUs = Number.NEGATIVE_INFINITY;
    let asked = this.programme.keyframeRequests;
    for (; this.#blocks < endBlock; this.#blocks++) {
      const blockUs = this.#blocks * BLOCK_US;
      for (; scene.fps > 0 && this.#pictureUs < blockUs + BLOCK_US; this.#pictureUs += stepUs) {
        const due =
          scene.gopSeconds === undefined
            ? this.programme.keyframeRequests > asked
            : this.#pictureUs - keyframeUs >= scene.gopSeconds * 1e6;
        const first = keyframeUs === Number.NEGATIVE_INFINITY;
        const keyframe = first || due;
        if (keyframe) keyframeUs = this.#pictureUs;
        asked = this.programme.keyframeRequests;
        const decodeTimeUs = this.#startUs + this.#pictureUs;
        const bytes = keyframe ? black.keyframe() : black.repeat();
        const timeUs = decodeTimeUs + (scene.reorderUs ?? 0);
        this.programme.picture({ timeUs, decodeTimeUs, keyframe, switched: first, bytes });
      }
      this.programme.sound(this.#startUs + blockUs);
      await this.clock.advance(BLOCK_US / 1000);
      if (this.#unchecked.length > 0) await Promise.all(this.#unchecked.splice(0));
    }
  }

  async end(): Promise<void> {
    await this.#writer.close();
    this.#check();
    await Promise.all(this.#unchecked.splice(0));
  }

  /** Everything that the checkers found. */
  get broken(): string[] {
    return [...new Set([...this.whole.broken, ...this.delta.broken])];
  }

  #check(): void {
    const load = async (checker: PlaylistChecker, skip: boolean): Promise<void> => {
      const found = await this.room.main.playlist({ sequence: undefined, part: undefined, skip });
      if ("body" in found) checker.take(new TextDecoder().decode(found.body));
    };
    this.#unchecked.push(load(this.whole, false), load(this.delta, true));
  }
}
