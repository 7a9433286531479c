/**
 * The sessions of one participant, one after another: how the next one is entered, and which one is asked. Requests wait for a
 * session where there is none, and are asked anew where one ends before its answer.
 */
import { SessionClosedError } from "../session/session.ts";
import type { CloseReason } from "../wire/close-codes.ts";
import type { Resume } from "../wire/control-messages.ts";
import { HELLO_TIMEOUT_MS, MAX_WAITING_REQUESTS } from "../wire/limits.ts";
import { Attachment, type AttachmentOptions, type AttachmentOwner, type Request } from "./attachment.ts";
import { JoinFailedError } from "./join-failed-error.ts";
import type { MoveOptions, RelayCandidate } from "./participant-api.ts";
import { type Answer, RequestFailedError } from "./request-table.ts";

/** After these nobody knows whether the relay has taken our hello. */
const UNCERTAIN: ReadonlySet<CloseReason> = new Set<CloseReason>(["lost", "hello-timeout", "internal-error"]);

export class Sessions {
  readonly #options: Omit<AttachmentOptions, "relay" | "timeoutMs">;
  readonly #owner: AttachmentOwner;
  #main: Attachment | undefined;
  /** Settles, never rejects, when the hello that is under way is answered. */
  #greeting: Promise<void> | undefined;
  /** A hello had no answer, so that the relay may have gone on without the main session. */
  #mayHaveMoved = false;
  /** Requests that wait for a session. */
  readonly #waiting: (() => void)[] = [];
  #over = false;

  constructor(options: Omit<AttachmentOptions, "relay" | "timeoutMs">, owner: AttachmentOwner) {
    this.#options = options;
    this.#owner = owner;
  }

  /** The newest one that was welcomed; it may be over. Undefined before the first. */
  get main(): Attachment | undefined {
    return this.#main;
  }

  /** Of the main session, unless the ticket may have been used. */
  get resumeAt(): RelayCandidate | undefined {
    return this.#mayHaveMoved ? undefined : this.#main?.resumeAt;
  }

  /** Opens another session and says hello on it; `resume` is asked for what it takes along. Rejects with JoinFailedError. */
  async open(
    relay: RelayCandidate,
    {
      timeoutMs = HELLO_TIMEOUT_MS,
      isWanted = () => true,
      turn,
      connect = this.#options.connect,
    }: MoveOptions,
    resume: () => Resume | undefined,
  ): Promise<void> {
    const before = this.#main;
    const attachment = await Attachment.open({ ...this.#options, connect, relay, timeoutMs }, this.#owner);
    if (turn !== undefined) await turn;
    // One hello at a time: of two, relays go by the later one, whichever we hear of first.
    while (this.#greeting !== undefined) await this.#greeting;
    if (this.#over || this.#main !== before || !isWanted()) {
      void attachment.leave();
      throw new JoinFailedError("lost", "the move was called off");
    }
    if (this.#mayHaveMoved && relay.ticket === before?.resumeAt?.ticket) {
      void attachment.leave();
      throw new JoinFailedError("ticket-replayed", "the ticket may have been used: join anew");
    }
    const greeting = attachment.greet(resume());
    const settled = (): void => {
      this.#greeting = undefined;
    };
    this.#greeting = greeting.then(settled, settled);
    try {
      await greeting;
    } catch (error) {
      if (error instanceof JoinFailedError && UNCERTAIN.has(error.reason)) this.#mayHaveMoved = true;
      throw error;
    }
  }

  /** A session was welcomed and is the main one from now on; returns the one before. */
  enter(attachment: Attachment): Attachment | undefined {
    const before = this.#main;
    this.#main = attachment;
    this.#mayHaveMoved = false;
    this.#wake();
    return before;
  }

  /** Whoever goes on in another session is told on the older one that somebody took over: that was we ourselves. */
  get mayHaveMoved(): boolean {
    return this.#mayHaveMoved || this.#greeting !== undefined;
  }

  /** What waits and what is asked from now on rejects with SessionClosedError. */
  end(): void {
    this.#over = true;
    this.#wake();
  }

  #wake(): void {
    for (const goOn of this.#waiting.splice(0)) goOn();
  }

  /**
   * Asks the relay. Rejects with RequestFailedError or, when a session ends before its answer, SessionClosedError.
   * @param request what to ask at that moment; nothing when it has become needless
   * @param patiently waits while there is no session, and asks the next one anew; for what may be done twice
   */
  async ask(request: () => Request | undefined, patiently: boolean): Promise<Answer & { via: Attachment }> {
    let left: Attachment | undefined;
    for (;;) {
      const via = this.#readyBut(left) ?? (await this.#becomesReady(left, patiently));
      const message = request();
      if (message === undefined) return { trackId: undefined, via };
      try {
        return { ...(await via.request(message)), via };
      } catch (error) {
        // What a relay refuses in this way it has not done; what became of a request that a session's end has cut off nobody knows.
        const isLeft = error instanceof RequestFailedError && error.code === "superseded";
        if (this.#over || !(isLeft || (patiently && error instanceof SessionClosedError))) throw error;
        left = via;
      }
    }
  }

  /** Asks for the end of something; what is not there any more after a move needs none. */
  async askToEnd(request: () => Request | undefined): Promise<void> {
    const before = this.#main;
    try {
      await this.ask(request, true);
    } catch (error) {
      const isGone = error instanceof RequestFailedError && error.code === "not-found";
      if (!isGone || this.#main === before) throw error;
    }
  }

  /** The main session, unless it is `left`. While a hello is under way, nobody knows which session the relay will go by. */
  #readyBut(left: Attachment | undefined): Attachment | undefined {
    const main = this.#main;
    return main?.isOpen === true && main !== left && this.#greeting === undefined ? main : undefined;
  }

  async #becomesReady(left: Attachment | undefined, patiently: boolean): Promise<Attachment> {
    for (;;) {
      while (this.#greeting !== undefined) await this.#greeting;
      if (this.#over) throw new SessionClosedError("the participant has left the room");
      const ready = this.#readyBut(left);
      if (ready !== undefined) return ready;
      if (!patiently) throw new RequestFailedError("unavailable", "no session is open now");
      if (this.#waiting.length >= MAX_WAITING_REQUESTS)
        throw new RequestFailedError("unavailable", "too many requests wait for a session");
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }
}
