/** A radio program that sends by Icecast's protocol as a participant of a room: its sound, paced already, becomes Opus. */
import type { IcecastControl, IcecastEnd, IcecastSink } from "../icecast/icecast-sink.ts";
import { BLOCK_SAMPLES, type SoundBlock } from "../programme/programme.ts";
import type { MemberIdentity } from "../room/gateway-access.ts";
import type { RoomAccess } from "../room/room-member.ts";
import { type OpusEncoder, openOpusEncoder } from "./opus-for-rooms.ts";
import { RoomPublisher } from "./room-publisher.ts";

export interface IcecastParticipantOptions {
  room: string;
  member: MemberIdentity;
  access: RoomAccess;
  /** What holds the connection. */
  control: IcecastControl;
  onState(state: "running" | "ended", message: string): void;
  log(line: string): void;
}

export class IcecastParticipant implements IcecastSink {
  readonly #options: IcecastParticipantOptions;
  readonly #publisher: RoomPublisher;
  readonly #interleaved = new Float32Array(2 * BLOCK_SAMPLES);
  #encoder: OpusEncoder | undefined;
  #isIn = false;
  #isOver = false;

  constructor(options: IcecastParticipantOptions) {
    const { room, member, access, control, log } = options;
    this.#options = options;
    this.#publisher = new RoomPublisher(room, member, access, {
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
    if (this.#isOver) return this.#leave();
    this.#isIn = true;
    await this.#publisher.openSound();
    this.#options.onState("running", "");
  }

  onSound({ timeUs, left, right }: SoundBlock): void {
    if (!this.#isIn || this.#encoder === undefined) return;
    const samples = this.#interleaved;
    for (let i = 0; i < BLOCK_SAMPLES; i++) {
      samples[2 * i] = left[i]!;
      samples[2 * i + 1] = right[i]!;
    }
    const offsetUs = this.#publisher.roomNowUs - this.#options.access.clock.nowUs();
    this.#publisher.pushSound(Math.round(timeUs + offsetUs), this.#encoder.encode(samples), samples);
  }

  /** Rooms have no titles; the log has. */
  onTitle(title: string): void {
    this.#options.log(`${this.#options.member.identity} plays ${title}`);
  }

  onEnd({ message }: IcecastEnd): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#options.onState("ended", message);
    if (this.#isIn) this.#leave();
  }

  #leave(): void {
    this.#encoder?.free();
    this.#encoder = undefined;
    this.#publisher.leave().catch((error: unknown) => this.#options.log(`leaving failed: ${String(error)}`));
  }
}
