/**
 * A relay's presence in the directory: registers, claims rooms as their first participant comes, gives them up
 * when they end, says how loaded it is, and registers anew when the lease is lost. A directory that does not
 * answer never stops a room: everything is retried.
 */
import type { Clock, Timer } from "../core/clock.ts";
import type { Directory, Registration, RelayRecord, RoomClaim } from "../core/directory/directory.ts";

const REGISTRATION_TTL_MS = 10_000;
const RETRY_MS = 1_000;
/** Load is told at most this often. */
const UPDATE_INTERVAL_MS = 1_000;

export interface RegistrationOptions {
  clock: Clock;
  directory: Directory;
  /** The relay as it is now. */
  record(): RelayRecord;
  /** Rooms that the relay is the root of now, with their epochs, to be claimed anew after a lost lease. */
  rooms(): Iterable<[string, number]>;
  /** What became of a room that was claimed anew. */
  onClaim(claim: RoomClaim): void;
  log(line: string): void;
}

export class RelayRegistration {
  readonly #options: RegistrationOptions;
  #registration: Registration | undefined;
  #ended = false;
  #retry: Timer | undefined;
  #update: Timer | undefined;
  /** Last directory call of each room, so that a claim never overtakes a release. */
  readonly #calls = new Map<string, Promise<unknown>>();

  constructor(options: RegistrationOptions) {
    this.#options = options;
  }

  get registered(): boolean {
    return this.#registration !== undefined;
  }

  /** Registers; rejects when that fails the first time. Later losses are mended behind the scenes. */
  async start(): Promise<void> {
    const { directory, record } = this.#options;
    const registration = await directory.register(record(), REGISTRATION_TTL_MS);
    if (this.#ended) return void (await registration.end());
    this.#registration = registration;
    void registration.lost.then(() => this.#onLost(registration));
  }

  #onLost(registration: Registration): void {
    if (this.#registration !== registration || this.#ended) return;
    this.#registration = undefined;
    this.#options.log("the directory forgot this relay: registering again");
    this.#startAgain();
  }

  #startAgain(): void {
    this.start().then(
      () => {
        for (const [room, epoch] of this.#options.rooms()) void this.#claimAnew(room, epoch);
      },
      (error: unknown) => {
        if (this.#ended) return;
        this.#options.log(`the directory cannot be reached, trying again: ${messageOf(error)}`);
        this.#retry = this.#options.clock.after(RETRY_MS, () => this.#startAgain());
      },
    );
  }

  async #claimAnew(room: string, epoch: number): Promise<void> {
    const claim = await this.claimRoom(room, epoch);
    if (claim !== undefined) this.#options.onClaim(claim);
  }

  /** The claim that stands after the call; undefined when the directory does not answer. `after`: an epoch that is known to be over. */
  claimRoom(room: string, after = 0): Promise<RoomClaim | undefined> {
    return this.#inTurn(room, async () => await this.#registration?.claimRoom(room, after));
  }

  /** The same, where the holder of `claim` is believed dead. */
  supersedeRoom(claim: RoomClaim): Promise<RoomClaim | undefined> {
    return this.#inTurn(claim.room, async () => await this.#registration?.supersedeRoom(claim));
  }

  async releaseRoom(room: string): Promise<void> {
    await this.#inTurn(room, async () => await this.#registration?.releaseRoom(room));
  }

  async #inTurn<T>(room: string, call: () => Promise<T>): Promise<T | undefined> {
    const before = this.#calls.get(room);
    const turn = (async () => {
      await before;
      try {
        return await call();
      } catch (error) {
        this.#options.log(`the directory did not answer about room ${room}: ${messageOf(error)}`);
        return undefined;
      }
    })();
    this.#calls.set(room, turn);
    const result = await turn;
    if (this.#calls.get(room) === turn) this.#calls.delete(room);
    return result;
  }

  /** Tells the directory how the relay is, soon, and together with other changes. */
  changed(): void {
    if (this.#ended || this.#update !== undefined) return;
    this.#update = this.#options.clock.after(UPDATE_INTERVAL_MS, () => {
      this.#update = undefined;
      this.#registration?.update(this.#options.record()).catch((error: unknown) => {
        this.#options.log(`the directory did not take this relay's load: ${messageOf(error)}`);
      });
    });
  }

  /** Takes everything back. Never rejects. */
  async end(): Promise<void> {
    this.#ended = true;
    this.#retry?.cancel();
    this.#update?.cancel();
    try {
      await this.#registration?.end();
    } catch (error) {
      this.#options.log(`the directory did not hear that this relay ended: ${messageOf(error)}`);
    }
    this.#registration = undefined;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
