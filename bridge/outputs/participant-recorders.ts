/** Records each participant of a room into a file of its own beside the mix: begins one when somebody publishes, ends it when they are gone. */
import type { Clock, Timer } from "../../core/clock.ts";
import type { JobLog } from "../jobs/running-job.ts";
import type { Speaker, WholeProgramme } from "../programme/programme.ts";
import type { Recorder } from "../recording/recorder.ts";
import type { SharedParts } from "./shared-parts.ts";

/** Whoever is back within so long goes on in the same file. */
const AWAY_MS = 30_000;
/** A file that could not be begun is tried again after so long. */
const RETRY_MS = 10_000;

export interface ParticipantRecordersOptions {
  programme: WholeProgramme;
  parts: SharedParts;
  recorder: Recorder;
  clock: Clock;
  log: JobLog;
}

/** One who has published, until they are gone for good. */
interface Stay {
  away: Timer | undefined;
  /** It takes no more from now on. Undefined while it is being opened. */
  stop: (() => Promise<void>) | undefined;
  opened: Promise<void>;
  isOver: boolean;
}

export class ParticipantRecorders {
  readonly #options: ParticipantRecordersOptions;
  readonly #stays = new Map<string, Stay>();
  /** Who gets no file before somebody else's ends, or the time for another try has come. */
  readonly #waiting = new Set<string>();
  readonly #retries = new Set<Timer>();
  readonly #removeSink: () => void;
  #publishers: readonly Speaker[] = [];
  #hasBegun = false;
  #isOver = false;

  constructor(options: ParticipantRecordersOptions) {
    this.#options = options;
    this.#removeSink = options.programme.add({
      // What the files begin at is told on the mix's timeline, so that has to be there.
      onSound: () => void (this.#hasBegun || this.#beginAll()),
      onPicture: () => undefined,
      onPublishers: (publishers) => this.#onPublishers(publishers),
    });
  }

  /** Resolves when all files are whole. */
  async close(): Promise<void> {
    this.#isOver = true;
    this.#removeSink();
    for (const timer of this.#retries) timer.cancel();
    await Promise.all([...this.#stays.keys()].map((identity) => this.#end(identity)));
  }

  #beginAll(): void {
    this.#hasBegun = this.#options.recorder.hasBegun;
    if (this.#hasBegun) this.#onPublishers(this.#publishers);
  }

  #onPublishers(publishers: readonly Speaker[]): void {
    this.#publishers = publishers;
    if (!this.#hasBegun || this.#isOver) return;
    const there = new Set(publishers.map(({ identity }) => identity));
    for (const identity of this.#waiting) if (!there.has(identity)) this.#waiting.delete(identity);
    for (const [identity, stay] of this.#stays) {
      if (there.has(identity)) {
        stay.away?.cancel();
        stay.away = undefined;
      } else stay.away ??= this.#options.clock.after(AWAY_MS, () => void this.#end(identity));
    }
    for (const publisher of publishers)
      if (!this.#stays.has(publisher.identity) && !this.#waiting.has(publisher.identity))
        this.#begin(publisher);
  }

  #begin(participant: Speaker): void {
    const { identity } = participant;
    const stay: Stay = { away: undefined, stop: undefined, opened: Promise.resolve(), isOver: false };
    this.#stays.set(identity, stay);
    stay.opened = this.#open(participant, stay).catch((error: unknown) => {
      this.#options.log("warn", "a participant's file could not be begun", {
        identity,
        error: String(error),
      });
      this.#giveUp(identity, stay);
      const retry = this.#options.clock.after(RETRY_MS, () => {
        this.#retries.delete(retry);
        this.#again([identity]);
      });
      this.#retries.add(retry);
    });
  }

  async #open(participant: Speaker, stay: Stay): Promise<void> {
    const { programme, parts, recorder } = this.#options;
    const { identity } = participant;
    const alone = programme.holdParticipant(identity);
    try {
      const file = await recorder.beginFile(participant);
      if (typeof file === "string") {
        alone.release();
        this.#giveUp(identity, stay);
        return;
      }
      const held = await parts.hold(alone.programme, "sound", "aac").catch(async (error: unknown) => {
        await file.end();
        throw error;
      });
      const remove = held.parts.add(file.sink);
      stay.stop = async () => {
        remove();
        await Promise.all([file.end(), held.release()]);
        alone.release();
      };
    } catch (error) {
      alone.release();
      throw error;
    }
  }

  #giveUp(identity: string, stay: Stay): void {
    stay.away?.cancel();
    if (this.#stays.get(identity) === stay) this.#stays.delete(identity);
    this.#waiting.add(identity);
  }

  async #end(identity: string): Promise<void> {
    const stay = this.#stays.get(identity);
    if (stay === undefined || stay.isOver) return;
    stay.isOver = true;
    stay.away?.cancel();
    await stay.opened;
    await stay.stop?.();
    if (this.#stays.get(identity) === stay) this.#stays.delete(identity);
    // There is room for somebody else, and they may be back already.
    this.#again([...this.#waiting]);
  }

  #again(identities: readonly string[]): void {
    for (const identity of identities) this.#waiting.delete(identity);
    this.#onPublishers(this.#publishers);
  }
}
