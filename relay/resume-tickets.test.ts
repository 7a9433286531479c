/** Who comes back with a resume ticket, and who does not: on relays of a simulated network, and with real keys. */
import { decodeJwt, generateKeyPair, SignJWT } from "jose";
import { beforeEach, describe, expect, it } from "vitest";
import type { Participant, RelayCandidate } from "../core/participant/participant-api.ts";
import { RESUME_RENEWAL_MS, RESUME_TICKET_SECONDS } from "../core/wire/limits.ts";
import { RESUME_AUDIENCE, type ResumeTicket } from "../core/wire/tokens.ts";
import { MICROPHONE, SimulatedCluster, type SimulatedMember } from "../test/sim/simulated-cluster.ts";
import { VirtualClock } from "../test/sim/virtual-clock.ts";
import { ResumeTickets } from "./resume-tickets.ts";
import { makeSigningKeys } from "./tree/signing-keys.ts";

let sim: SimulatedCluster;
let ann: Participant;
let bob: SimulatedMember;

beforeEach(async () => {
  sim = new SimulatedCluster(11);
  await sim.addRelay("relay1");
  await sim.addRelay("relay2");
  ann = (await sim.joined({ identity: "ann" })).participant;
  bob = await sim.joined({ identity: "bob" });
  await sim.clock.advance(500);
  bob.events.length = 0;
});

const held = ({ resumeAt }: Participant): RelayCandidate => resumeAt!;

const at = (relayId: string, { ticket }: RelayCandidate): RelayCandidate => ({
  ...sim.candidate({ identity: "", relayId }),
  ticket,
});

/** Goes on with this ticket; resolves to the relay's refusal, or "in". */
async function tryWith(participant: Participant, relay: RelayCandidate): Promise<string> {
  try {
    await sim.clock.until(participant.moveTo(relay));
    return "in";
  } catch (error) {
    return (error as { reason: string }).reason;
  }
}

/** Somebody else shows it. */
async function tryAsStranger(relay: RelayCandidate): Promise<string> {
  const { participant } = await sim.joined({ identity: "stranger", room: "elsewhere" });
  return await tryWith(participant, relay);
}

/** What Bob was told of others. */
const news = () => bob.events.filter(({ type }) => type !== "speakers");

describe("a resume ticket", () => {
  it("lets its holder go on with the same relay, with its tracks, unseen by others", async () => {
    const track = await sim.clock.until(ann.publish(MICROPHONE));
    await sim.clock.until(bob.participant.subscribe(track.trackId));
    const before = track.trackId;
    bob.events.length = 0;
    expect(await tryWith(ann, held(ann))).toBe("in");
    expect(track.trackId).toBe(before);
    await sim.clock.advance(10_000);
    expect(news()).toEqual([]);
    expect(sim.relays.get("relay1")!.metrics()).toContain("tributary_resume_tickets_taken_total 1\n");
  });

  it("is good at another relay of the cluster", async () => {
    expect(await tryWith(ann, at("relay2", held(ann)))).toBe("in");
    expect(ann.relayId).toBe("relay2");
    await sim.clock.advance(10_000);
    expect(news()).toEqual([]);
    expect(await tryWith(ann, at("relay1", held(ann)))).toBe("in");
  });

  it("is good when its relay has given the session up, and the room with it", async () => {
    await sim.clock.until(bob.participant.leave());
    const back = held(ann);
    const { participant } = await sim.joined({ identity: "cleo", room: "elsewhere" });
    sim.relays.get("relay1")!.rooms.get("room")!.members.get("ann")!.close("internal-error", "lost");
    await sim.clock.advance(5_000);
    expect(sim.relays.get("relay1")!.rooms.get("room")).toBeUndefined();
    expect(await tryWith(participant, back)).toBe("in");
  });

  it("is followed by another one, of the next session and in time", async () => {
    const first = held(ann);
    expect(await tryWith(ann, first)).toBe("in");
    await sim.clock.advance(100);
    const second = held(ann);
    expect(second.ticket).not.toBe(first.ticket);
    await sim.clock.advance(RESUME_RENEWAL_MS);
    expect(held(ann).ticket).not.toBe(second.ticket);
    await sim.clock.advance((RESUME_TICKET_SECONDS - RESUME_RENEWAL_MS / 1000) * 1000);
    expect(await tryWith(ann, held(ann))).toBe("in");
  });

  it("is good once, and so are all of one session together", async () => {
    const first = held(ann);
    await sim.clock.advance(RESUME_RENEWAL_MS);
    expect(await tryWith(ann, held(ann))).toBe("in");
    expect(await tryAsStranger(first)).toBe("ticket-replayed");
  });

  it("that was used takes nobody's place at a relay that has not heard of it", async () => {
    const first = held(ann);
    expect(await tryWith(ann, first)).toBe("in");
    await sim.clock.advance(6_000);
    bob.events.length = 0;
    const thief = await sim.joined({ identity: "thief", room: "elsewhere" });
    await tryWith(thief.participant, at("relay2", first));
    await sim.clock.advance(10_000);
    expect(thief.participant.isOpen).toBe(false);
    expect(ann.isOpen).toBe(true);
    expect(news()).toEqual([]);
    // And now it has.
    await sim.joined({ identity: "cleo", relayId: "relay2" });
    await sim.clock.advance(2_000);
    expect(await tryAsStranger(at("relay2", first))).toBe("ticket-replayed");
  });

  it("is not good any more when its holder has left", async () => {
    const kept = held(ann);
    await sim.clock.until(ann.leave());
    await sim.clock.advance(1_000);
    expect(await tryAsStranger(kept)).toBe("ticket-replayed");
  });

  it("is not good when its holder has joined from elsewhere meanwhile", async () => {
    const kept = held(ann);
    await sim.joined({ identity: "ann", relayId: "relay2" });
    await sim.clock.advance(1_000);
    expect(await tryAsStranger(kept)).toBe("ticket-replayed");
  });

  it("does not bring back who was removed, at any relay, though the join token has long ended", async () => {
    const tokenExp = Math.floor(sim.clock.nowUs() / 1_000_000) + 1;
    const eve = await sim.joined({ identity: "eve", token: "short", tokenExp });
    await sim.clock.advance(100);
    const kept = held(eve.participant);
    expect(sim.relays.get("relay1")!.remove("room", "eve")?.tokenExp).toBeGreaterThan(tokenExp + 200);
    await sim.clock.advance((RESUME_TICKET_SECONDS - 10) * 1000);
    for (const relayId of ["relay1", "relay2"])
      expect(await tryAsStranger(at(relayId, kept))).toBe("removed");
  });

  it("ends", async () => {
    const kept = held(ann);
    await sim.clock.advance((RESUME_TICKET_SECONDS + 6) * 1000);
    expect(await tryAsStranger(kept)).toBe("ticket-expired");
  });

  it("leads into the room and the identity that it is of, and no other", async () => {
    const { participant } = await sim.joined({ identity: "stranger", room: "elsewhere" });
    expect(await tryWith(participant, held(ann))).toBe("in");
    const { rooms } = sim.relays.get("relay1")!;
    expect([...rooms.get("room")!.members.keys()].sort()).toEqual(["ann", "bob"]);
    expect(rooms.get("elsewhere")?.members.has("ann") ?? false).toBe(false);
  });

  it("of a relay that nobody knows is refused", async () => {
    const claims = { ...(JSON.parse(held(ann).ticket) as object), iss: "nowhere" };
    const relay = { ...held(ann), ticket: JSON.stringify(claims) };
    expect(await tryAsStranger(relay)).toBe("ticket-wrong-signature");
  });

  it("may have been used when its hello had no answer: it is not shown again", async () => {
    const { participant } = await sim.joined({ identity: "dora", network: { delayMs: 20 } });
    await sim.clock.advance(100);
    const relay = held(participant);
    const move = participant.moveTo(relay, { timeoutMs: 200 });
    // It has come, and its answer has not.
    sim.clock.after(30, () => sim.cutNewest("relay1"));
    const reason = await sim.clock.until(move.catch((error: { reason: string }) => error.reason));
    expect(reason).toBe("hello-timeout");
    expect(participant.resumeAt).toBeUndefined();
    expect(await tryWith(participant, relay)).toBe("ticket-replayed");
    expect(await tryWith(participant, sim.candidate({ identity: "dora" }))).toBe("in");
  });
});

describe("signed", () => {
  const clock = new VirtualClock();
  const nowSeconds = Math.floor(clock.nowUs() / 1_000_000);
  const claims: ResumeTicket = {
    iss: "relay1",
    aud: RESUME_AUDIENCE,
    sub: "ann",
    name: "Ann",
    room: "room",
    grants: { publish: [], subscribe: true, data: true, admin: false, hidden: false },
    token: "token",
    tokenExp: nowSeconds + 3600,
    sid: "1",
    stamp: clock.nowUs(),
    iat: nowSeconds,
    exp: nowSeconds + RESUME_TICKET_SECONDS,
  };
  const asText = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

  async function stage() {
    const [keys, others] = [await makeSigningKeys(clock), await makeSigningKeys(clock)];
    const tickets = new ResumeTickets({
      clock,
      keys,
      relayId: () => "relay1",
      linkKeyOf: (relayId) => (relayId === "relay2" ? others.linkKey : undefined),
      verifyTicket: async () => {
        throw new Error("this is for the gateway's keys");
      },
    });
    const outcome = (ticket: string): Promise<string> =>
      tickets.verify(ticket).then(
        ({ sub }) => sub,
        ({ reason, message }: { reason?: string; message: string }) => reason ?? message,
      );
    return { keys, others, outcome };
  }

  it("by its relay, or another one that the directory knows, it is taken, once", async () => {
    const { keys, others, outcome } = await stage();
    const own = await keys.sign(claims);
    expect(await outcome(own)).toBe("ann");
    expect(await outcome(own)).toBe("ticket-replayed");
    expect(await outcome(await others.sign({ ...claims, iss: "relay2", sub: "bob" }))).toBe("bob");
  });

  it("by another relay than it says, for longer than may be, or too long ago, it is refused", async () => {
    const { keys, others, outcome } = await stage();
    expect(await outcome(await others.sign(claims))).toBe("ticket-wrong-signature");
    expect(await outcome(await keys.sign({ ...claims, iss: "relay3" }))).toBe("ticket-wrong-signature");
    expect(await outcome(await keys.sign({ ...claims, exp: claims.exp + 1 }))).toBe("ticket-malformed");
    const past = { iat: nowSeconds - 20, exp: nowSeconds - 10 };
    expect(await outcome(await keys.sign({ ...claims, ...past }))).toBe("ticket-expired");
  });

  it("by somebody else, changed, or not at all, it is refused", async () => {
    const { keys, outcome } = await stage();
    const { privateKey } = await generateKeyPair("ES256");
    const forged = await new SignJWT({ ...claims }).setProtectedHeader({ alg: "ES256" }).sign(privateKey);
    expect(await outcome(forged)).toBe("ticket-wrong-signature");
    const [header, payload, signature] = (await keys.sign(claims)).split(".") as [string, string, string];
    const grants = { ...claims.grants, admin: true };
    expect(await outcome(`${header}.${asText({ ...claims, grants })}.${signature}`)).toBe(
      "ticket-wrong-signature",
    );
    expect(await outcome(`${asText({ alg: "none" })}.${payload}.`)).toMatch(/^ticket-/);
    expect(await outcome(`${header}.${payload}.`)).toMatch(/^ticket-/);
  });

  it("a credential of a relay is no resume ticket, nor the other way round", async () => {
    const { keys, outcome } = await stage();
    const { iss, room, iat } = claims;
    const credential = await keys.sign({ iss, room, iat, aud: "relay1", exp: iat + 30 });
    expect(await outcome(credential)).toBe("this is for the gateway's keys");
    const ticket = await keys.sign(claims);
    expect(decodeJwt(ticket).aud).toBe(RESUME_AUDIENCE);
    await expect(keys.verify(ticket, keys.linkKey, "relay1")).rejects.toMatchObject({
      reason: "relay-refused",
    });
  });
});
