/** A programme sent to several RTMP targets at once: encoded once, sent to each at its own pace. */
import type { Clock, Random } from "../../core/clock.ts";
import type { JobState, JobStatus } from "../../core/wire/bridge-jobs.ts";
import { MAX_RTMP_TARGETS } from "../../core/wire/limits.ts";
import type { PictureUnit, Programme, ProgrammeSink, SoundBlock } from "../programme/programme.ts";
import type { Amf0Object } from "../rtmp/amf0.ts";
import { FlvOutput } from "./flv-output.ts";
import { KEYFRAME_INTERVAL_US } from "./limits.ts";
import { type OpenEncoder, ProgrammeSound } from "./programme-sound.ts";
import { type Dial, Target } from "./target.ts";
import type { TargetGuard } from "./target-address.ts";

export interface RtmpOutputParts {
  clock: Clock;
  random: Random;
  programme: Programme;
  openEncoder: OpenEncoder;
  guard: TargetGuard;
  dial: Dial;
}

/** What of a job's status this output knows. */
export type RtmpOutputStatus = Pick<JobStatus, "state" | "message" | "latencyMs"> & {
  targets: NonNullable<JobStatus["targets"]>;
};

/** Codec numbers of FLV (annex E.4): H.264, and AAC. */
const VIDEO_CODEC_ID = 7;
const AUDIO_CODEC_ID = 10;
/** What the whole is, by what its targets are: the first of these that any is. */
const STATES_BY_RANK: readonly JobState[] = ["running", "reconnecting", "starting", "failed", "ended"];

export class RtmpOutput implements ProgrammeSink {
  readonly #programme: Programme;
  readonly #targets: readonly Target[];
  readonly #flv: FlvOutput;
  readonly #sound: ProgrammeSound;
  readonly #remove: () => void;
  #closed: Promise<void> | undefined;

  /** Begins at once. Throws a RangeError with none or too many targets. */
  constructor(
    targets: readonly { name?: string | undefined; url: string }[],
    { clock, random, programme, openEncoder, guard, dial }: RtmpOutputParts,
  ) {
    if (targets.length < 1 || targets.length > MAX_RTMP_TARGETS) {
      throw new RangeError(`an RTMP output has 1 to ${MAX_RTMP_TARGETS} targets, not ${targets.length}`);
    }
    this.#programme = programme;
    this.#flv = new FlvOutput((tag) => {
      for (const target of this.#targets) target.push(tag);
    });
    this.#sound = new ProgrammeSound(openEncoder, clock, (frame, config) =>
      this.#flv.pushSound(frame, config),
    );
    const parts = { clock, random, guard, dial, metadata: () => this.#metadata() };
    const onKeyframeNeeded = (): void => this.#askForKeyframe();
    this.#targets = targets.map((target) => new Target(target, { ...parts, onKeyframeNeeded }));
    this.#remove = programme.add(this);
  }

  get status(): RtmpOutputStatus {
    const targets = this.#targets.map((target) => target.status);
    const state = STATES_BY_RANK.find((each) => targets.some((target) => target.state === each))!;
    const latencies = this.#targets.flatMap(({ latencyMs }) => latencyMs ?? []);
    const message = this.#sound.failure ?? targets.find((target) => target.message !== "")?.message ?? "";
    return { state, message, latencyMs: latencies.length === 0 ? null : Math.max(...latencies), targets };
  }

  onSound(block: SoundBlock): void {
    this.#flv.tick(block.timeUs, this.#programme.hasPicture);
    this.#sound.push(block);
    if (!this.#programme.hasPicture) return;
    const isOld = block.timeUs - this.#flv.lastKeyframeUs >= KEYFRAME_INTERVAL_US;
    if (isOld || this.#flv.showsStill) this.#programme.requestKeyframe();
  }

  onPicture(unit: PictureUnit): void {
    this.#flv.pushPicture(unit);
  }

  onEnd(): void {
    void this.close();
  }

  /** Says goodbye to every target. Resolves when all are gone; never rejects. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#remove();
    this.#sound.close();
    this.#flv.end();
    await Promise.all(this.#targets.map((target) => target.close()));
  }

  #askForKeyframe(): void {
    this.#flv.restartStill();
    this.#programme.requestKeyframe();
  }

  #metadata(): Amf0Object {
    const size = this.#flv.pictureSize;
    return {
      ...(size === undefined ? {} : { width: size.width, height: size.height }),
      videocodecid: VIDEO_CODEC_ID,
      audiocodecid: AUDIO_CODEC_ID,
      audiosamplerate: 48_000,
      audiosamplesize: 16,
      audiochannels: 2,
      stereo: true,
      encoder: "Tributary",
    };
  }
}
