/**
 * Which picture codecs everybody in a room can decode, over all relays of its tree: publishers choose by it, and the relay itself
 * never looks at a codec. docs/wire.md, "Codecs".
 */
import type { RelayMessageInput } from "../core/wire/control-messages.ts";
import { UNSAID_CODECS } from "../core/wire/room-model.ts";
import type { Member } from "./member.ts";
import type { RemoteParticipants } from "./tree/remote-participants.ts";

/** What of its room this needs. */
interface DecodingRoom {
  readonly members: ReadonlyMap<string, Pick<Member, "decodes">>;
  readonly remote: Pick<RemoteParticipants, "byIdentity">;
  broadcast(message: RelayMessageInput): void;
}

export class DecodableCodecs {
  #told = UNSAID_CODECS;

  /** Members have been told last that everybody can decode these. */
  get told(): readonly string[] {
    return this.#told;
  }

  /** It is something else than what newcomers take for granted. */
  get isNews(): boolean {
    return !isSame(this.#told, UNSAID_CODECS);
  }

  /** Tells members what is news. */
  update(room: DecodingRoom): void {
    if (room.members.size === 0) return;
    const codecs = common(lists(room));
    if (isSame(codecs, this.#told)) return;
    this.#told = codecs;
    room.broadcast({ type: "decodable", codecs: [...codecs] });
  }
}

function* lists({ members, remote }: DecodingRoom): Iterable<readonly string[]> {
  for (const { decodes } of members.values()) yield decodes ?? UNSAID_CODECS;
  for (const { record } of remote.byIdentity.values()) yield record.decodes ?? UNSAID_CODECS;
}

/** Whoever decodes nothing is helped by no choice. */
function common(all: Iterable<readonly string[]>): readonly string[] {
  let codecs: readonly string[] | undefined;
  for (const list of all) {
    if (list.length === 0) continue;
    codecs =
      codecs === undefined ? [...new Set(list)].sort() : codecs.filter((codec) => list.includes(codec));
  }
  return codecs ?? UNSAID_CODECS;
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((codec, at) => codec === other[at]);
}
