/**
 * Lanes: further sessions that carry datagrams of a session that is in already. A browser's own congestion control may hold one connection's
 * datagrams up where losses are not congestion; several connections together keep up. docs/wire.md, "Lanes".
 */
import type { Session } from "../core/session/session.ts";
import { CLOSE_CODES } from "../core/wire/close-codes.ts";
import { LANE_PATH, MAX_LANES } from "../core/wire/limits.ts";

interface Owner {
  readonly session: Session;
  readonly lanes: Set<Session>;
}

export class Lanes {
  readonly #owners = new Map<string, Owner>();
  #count = 0;
  /** Lanes that were closed at once. */
  refused = 0;

  /** Lanes open now. */
  get count(): number {
    return this.#count;
  }

  /** Takes lanes with this key from now on, until `session` is over. A key that somebody has already opens nothing. */
  add(key: string, session: Session): void {
    if (this.#owners.has(key)) return;
    const owner = { session, lanes: new Set<Session>() };
    this.#owners.set(key, owner);
    void session.closed.then(() => {
      this.#owners.delete(key);
      for (const lane of owner.lanes) lane.close(CLOSE_CODES.normal, "the session of this lane is over");
    });
  }

  /** Returns false for a session that is no lane. A lane that belongs to nobody, or is one too many, is closed. */
  take(session: Session): boolean {
    if (!session.path.startsWith(LANE_PATH)) return false;
    const owner = this.#owners.get(session.path.slice(LANE_PATH.length));
    if (owner === undefined || owner.lanes.size >= MAX_LANES) {
      this.refused++;
      const why =
        owner === undefined ? "no session here has this lane key" : `a session has ${MAX_LANES} lanes`;
      session.close(CLOSE_CODES["protocol-error"], why);
      return true;
    }
    owner.lanes.add(session);
    this.#count++;
    session.onDatagram = (bytes) => owner.session.onDatagram(bytes);
    // Streams have no meaning here: they are ended and never read.
    session.onStream = (stream) => {
      stream.finish().catch(() => {
        // The session went meanwhile, which is heard of elsewhere.
      });
    };
    void session.closed.then(() => {
      owner.lanes.delete(session);
      this.#count--;
    });
    return true;
  }
}
