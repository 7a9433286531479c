/** The HLS of rooms by name: of each while it runs, and for a while when it has ended. */
import type { Clock, Timer } from "../../core/clock.ts";
import type { HlsRoom } from "./hls-room.ts";
import { ENDED_ROOM_MS, MAX_ENDED_ROOMS } from "./limits.ts";

export class HlsRooms {
  readonly #clock: Clock;
  readonly #rooms = new Map<string, HlsRoom>();
  /** When those that have ended go, in the order of their end. */
  readonly #leaving = new Map<string, Timer>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Players of all rooms that wait for a playlist now. */
  get audience(): number {
    return [...this.#rooms.values()].reduce((sum, { audience }) => sum + audience, 0);
  }

  /** Undefined: the room has no HLS, and had none of late. */
  find(name: string): HlsRoom | undefined {
    return this.#rooms.get(name);
  }

  /** Takes the place of what the name had before. */
  add(name: string, room: HlsRoom): void {
    this.#forget(name);
    this.#rooms.set(name, room);
  }

  /** Nothing comes any more. `stays`: players that are behind may finish; at most ENDED_ROOM_MS, and until the name gets another one. */
  end(name: string, room: HlsRoom, stays: boolean): void {
    if (this.#rooms.get(name) !== room) return;
    this.#forget(name);
    if (!stays) return;
    this.#rooms.set(name, room);
    this.#leaving.set(
      name,
      this.#clock.after(ENDED_ROOM_MS, () => this.#forget(name)),
    );
    const [first] = this.#leaving.keys();
    if (this.#leaving.size > MAX_ENDED_ROOMS && first !== undefined) this.#forget(first);
  }

  /** Lets go of all. */
  close(): void {
    for (const name of [...this.#rooms.keys()]) this.#forget(name);
  }

  #forget(name: string): void {
    this.#rooms.delete(name);
    this.#leaving.get(name)?.cancel();
    this.#leaving.delete(name);
  }
}
