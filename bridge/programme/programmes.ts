/** The programmes of a bridge: outputs of one room that want the same of it share one, for as long as one of them holds it. */
import type { ProgrammeSpec } from "../../core/wire/bridge-jobs.ts";
import type { PictureCodecs } from "../grid/picture-codec.ts";
import type { RoomAccess } from "../room/room-member.ts";
import type { RunningCounts } from "../running-counts.ts";
import type { HeldProgramme, WholeProgramme } from "./programme.ts";
import { RoomProgramme } from "./room-programme.ts";
import type { FreeableDecoder } from "./sound-mix.ts";

export interface ProgrammesOptions {
  /** Of the bridge: part of the identity that it has in rooms. */
  bridgeId: string;
  access: RoomAccess;
  openDecoder(): FreeableDecoder;
  counts: RunningCounts;
  /** For grids. */
  codecs: PictureCodecs;
  log(line: string): void;
}

interface Shared {
  programme: RoomProgramme;
  started: Promise<void>;
  holders: number;
  endCounts(): void;
}

export class Programmes {
  readonly #options: ProgrammesOptions;
  readonly #shared = new Map<string, Shared>();
  #opened = 0;

  constructor(options: ProgrammesOptions) {
    this.#options = options;
  }

  /** Rejects with GatewayError when there is no way into the room. */
  async hold(room: string, spec: ProgrammeSpec): Promise<HeldProgramme<WholeProgramme>> {
    const key = JSON.stringify([room, spec.picture, Object.entries(spec.gainsDb).sort()]);
    let shared = this.#shared.get(key);
    if (shared === undefined || shared.programme.isOver) {
      shared = this.#open(room, spec);
      this.#shared.set(key, shared);
    }
    const held = shared;
    held.holders++;
    let isHeld = true;
    const release = (): void => {
      if (!isHeld) return;
      isHeld = false;
      if (--held.holders > 0) return;
      if (this.#shared.get(key) === held) this.#shared.delete(key);
      held.programme
        .stop()
        .finally(() => held.endCounts())
        .catch((error: unknown) => this.#options.log(`a programme did not end: ${String(error)}`));
    };
    try {
      await held.started;
    } catch (error) {
      release();
      throw error;
    }
    return { programme: held.programme, release };
  }

  #open(room: string, spec: ProgrammeSpec): Shared {
    const { bridgeId, access, openDecoder, codecs, log, counts } = this.#options;
    const identity = `${bridgeId.slice(0, 40)}~${(this.#opened++).toString(36)}`;
    const programme = new RoomProgramme({ room, identity, spec, access, openDecoder, codecs, log });
    const endCounts = counts.add(() => programme.counts);
    return { programme, started: programme.start(), holders: 0, endCounts };
  }
}
