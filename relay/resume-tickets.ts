/**
 * Resume tickets: what lets a participant go on in another session without asking the gateway. Made by the relay that it is with,
 * renewed while it is there, good at that relay and, by the key in the directory, at others, once. docs/wire.md, "Tokens and tickets".
 */
import { type Clock, every } from "../core/clock.ts";
import { closeReasonOf } from "../core/wire/close-codes.ts";
import { CLOCK_TOLERANCE_SECONDS } from "../core/wire/gateway-keys.ts";
import { RESUME_RENEWAL_MS, RESUME_TICKET_SECONDS } from "../core/wire/limits.ts";
import { RESUME_AUDIENCE, type RelayTicket, type ResumeTicket } from "../core/wire/tokens.ts";
import type { ArrivalTicket } from "./arrival-ticket.ts";
import type { Member } from "./member.ts";
import { Refusal } from "./refusal.ts";
import type { RelayKeys } from "./tree/credential.ts";
import { UsedTickets } from "./used-tickets.ts";

/** A ticket, or the ban that it must not outlive, is remembered for so long. */
export const RESUME_MEMORY_SECONDS = RESUME_TICKET_SECONDS + CLOCK_TOLERANCE_SECONDS;

/** What of a room it takes to tell whether a session has been gone on from. */
interface KnownSessions {
  readonly members: ReadonlyMap<string, { readonly stamp: number }>;
  readonly remote: { lastStamp(identity: string): number };
}

/** Throws Refusal `ticket-replayed` where the identity has a later session in the room, or had one of late. */
export function requireNewest({ members, remote }: KnownSessions, { sub, stamp }: ArrivalTicket): void {
  const newest = Math.max(members.get(sub)?.stamp ?? 0, remote.lastStamp(sub));
  if (stamp !== undefined && newest > stamp)
    throw new Refusal("ticket-replayed", "the ticket is of an older session: join anew");
}

/** All that a ticket can add to a stamp, which is in microseconds, is 31 ms. */
const STAMPS_PER_SECOND = 100;

export interface ResumeTicketOptions {
  clock: Clock;
  keys: RelayKeys;
  relayId(): string;
  /** `linkKey` of another relay's directory record; undefined: the directory knows no such relay. */
  linkKeyOf(relayId: string): string | undefined;
  /** For tickets of the gateway. Rejects with Refusal. */
  verifyTicket(ticket: string): Promise<RelayTicket>;
}

export class ResumeTickets {
  taken = 0;
  readonly #options: ResumeTicketOptions;
  readonly #used: UsedTickets;
  #sessions = 0;

  constructor(options: ResumeTicketOptions) {
    this.#options = options;
    this.#used = new UsedTickets(options.clock);
  }

  /** Uses a ticket up, a resume ticket or one of the gateway. Rejects with Refusal: `ticket-...`, or `relay-full`. */
  async verify(text: string): Promise<ArrivalTicket> {
    const issuer = this.#options.keys.resumeIssuerOf(text);
    return await (issuer === undefined ? this.#options.verifyTicket(text) : this.#take(text, issuer));
  }

  async #take(text: string, issuer: string): Promise<ArrivalTicket> {
    const { keys, linkKeyOf, relayId } = this.#options;
    const linkKey = issuer === relayId() ? keys.linkKey : linkKeyOf(issuer);
    if (linkKey === undefined || linkKey === "")
      throw new Refusal("ticket-wrong-signature", "the relay that made the ticket is not known: join anew");
    const ticket = await keys.verifyResume(text, linkKey);
    if (ticket.iss !== issuer || ticket.exp - ticket.iat > RESUME_TICKET_SECONDS)
      throw new Refusal("ticket-malformed", "the resume ticket is not as relays make them");
    this.#used.use(nameOf(ticket.iss, ticket.sid), this.#untilSeconds());
    this.taken++;
    return { ...ticket, nextStamp: this.#nextStamp(ticket) };
  }

  /**
   * Not later than a session that came after the one that the ticket is of and, of two that were opened with it at different relays, later for
   * the one that was earlier: a ticket that was used elsewhere, of which this relay has not heard yet, takes nobody's place for long.
   */
  #nextStamp({ stamp, exp }: ResumeTicket): number {
    const leftSeconds = exp + CLOCK_TOLERANCE_SECONDS - this.#options.clock.nowUs() / 1_000_000;
    return stamp + 1 + Math.floor(Math.max(0, leftSeconds) * STAMPS_PER_SECOND);
  }

  /** Sends a member, which is in its room, a ticket now, and a new one now and then for as long as its session lasts. */
  begin(member: Member): void {
    const { clock, relayId } = this.#options;
    const sid = (++this.#sessions).toString(36);
    const send = (): void => void this.#send(member, sid);
    send();
    const renewal = every(clock, RESUME_RENEWAL_MS, send);
    void member.session.closed.then(({ code, clean }) => {
      renewal.cancel();
      // Whoever has left comes back by the gateway only. Who was removed is banned.
      if (!clean || closeReasonOf(code) !== "normal") return;
      try {
        this.#used.use(nameOf(relayId(), sid), this.#untilSeconds());
      } catch {
        // It was used, or there is no space left to remember it: bans and later sessions still hold.
      }
    });
  }

  async #send(member: Member, sid: string): Promise<void> {
    const { clock, keys, relayId } = this.#options;
    const { sub, name, room, grants, token, tokenExp } = member.ticket;
    const iat = Math.floor(clock.nowUs() / 1_000_000);
    const ticket = await keys.sign({
      iss: relayId(),
      aud: RESUME_AUDIENCE,
      sub,
      name,
      room,
      grants,
      token,
      tokenExp,
      sid,
      stamp: member.stamp,
      iat,
      exp: iat + RESUME_TICKET_SECONDS,
    });
    member.send({ type: "resume-ticket", ticket });
  }

  #untilSeconds(): number {
    return this.#options.clock.nowUs() / 1_000_000 + RESUME_MEMORY_SECONDS;
  }
}

function nameOf(relayId: string, sid: string): string {
  return `${sid} ${relayId}`;
}
