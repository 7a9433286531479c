/** A participant that moves to a relay which knows less than the one before, played message by message. */
import { expect, it } from "vitest";
import { seededRandom } from "../../test/sim/seeded-random.ts";
import { VirtualClock } from "../../test/sim/virtual-clock.ts";
import { ControlChannel } from "../session/control-channel.ts";
import { createMemorySessionPair } from "../session/memory.ts";
import { type ClientMessage, clientMessageSchema, type RelayMessageInput } from "../wire/control-messages.ts";
import type { ParticipantInfo, TrackOffer } from "../wire/room-model.ts";
import type { ParticipantEvent } from "./events.ts";
import { joinRelay } from "./participant.ts";
import type { Participant } from "./participant-api.ts";

const MICROPHONE: TrackOffer = {
  kind: "audio",
  source: "microphone",
  codec: "opus",
  sampleRateHz: 48_000,
  channels: 1,
  frameDurationUs: 20_000,
  muted: false,
  encrypted: false,
};
const BOB: ParticipantInfo = {
  identity: "bob",
  name: "Bob",
  admin: false,
  tracks: [{ trackId: 5, offer: MICROPHONE }],
};
/** How long those may take to come who were there before a move. */
const GRACE_MS = 5_000;

/** Two relays; each answers hello and `publish` as the test says, and everything else with `done`. */
class Stage {
  readonly clock = new VirtualClock();
  readonly events: ParticipantEvent[] = [];
  readonly heard: ClientMessage[] = [];
  #channel: ControlChannel<RelayMessageInput, typeof clientMessageSchema> | undefined;
  participants: ParticipantInfo[] = [];
  resumedTracks: number[] = [];
  publishes: number | undefined = 7;
  relayAheadUs = 0;

  readonly connect = async () => {
    const { clock } = this;
    const pair = createMemorySessionPair({ clock, random: seededRandom(1) });
    pair.accepted.onStream = (stream) => {
      this.#channel = new ControlChannel(stream, clientMessageSchema, clock, undefined, {
        onMessage: (message) => this.#answer(message),
        onEnd: () => undefined,
      });
    };
    return pair.dialled;
  };

  say(message: RelayMessageInput): void {
    this.#channel!.send(message);
  }

  #answer(message: ClientMessage): void {
    this.heard.push(message);
    if (message.type === "hello") this.#welcome(message);
    else if (message.type === "publish" && this.publishes !== undefined)
      this.say({ type: "published", request: message.request, trackId: this.publishes });
    else if (message.type === "publish")
      this.say({ type: "failed", request: message.request, code: "forbidden", message: "no" });
    else if ("request" in message) this.say({ type: "done", request: message.request });
  }

  #welcome({ sentAtUs }: ClientMessage & { type: "hello" }): void {
    this.say({
      type: "welcome",
      version: 1,
      relayId: "relay",
      room: "room",
      identity: "ada",
      participants: structuredClone(this.participants),
      helloSentAtUs: sentAtUs,
      helloReceivedAtUs: sentAtUs + this.relayAheadUs,
      welcomeSentAtUs: sentAtUs + this.relayAheadUs,
      maxMediaDatagramBytes: 1_000,
      reportIntervalMs: 50,
      resumedTracks: this.resumedTracks,
    });
  }

  get relay() {
    return {
      url: "https://relay.test/",
      fallbackUrl: "",
      relayId: "relay",
      certificateHashes: [],
      ticket: "ticket",
    };
  }

  /** In, with Bob, whose microphone is heard. */
  async begin(): Promise<Participant> {
    this.participants = [BOB];
    const participant = await this.clock.until(
      joinRelay({
        connect: this.connect,
        clock: this.clock,
        random: seededRandom(2),
        relay: this.relay,
        client: "test",
        onEvent: (event) => void this.events.push(event),
        onAccessUnit: () => undefined,
      }),
    );
    await this.clock.until(participant.subscribe(5, { playoutDelayMs: 150 }));
    return participant;
  }

  async move(participant: Participant): Promise<void> {
    this.heard.length = 0;
    await this.clock.until(participant.moveTo(this.relay));
  }
}

it("those who come to the same relay later never left, and are heard as before", async () => {
  const stage = new Stage();
  const participant = await stage.begin();
  stage.participants = [];
  await stage.move(participant);
  expect(stage.heard[0]).toMatchObject({
    type: "hello",
    resume: { tracks: [], subscriptions: [{ trackId: 5, playoutDelayMs: 150 }] },
  });
  expect([...participant.participants.keys()]).toEqual(["bob"]);
  await stage.clock.advance(GRACE_MS / 2);
  stage.say({ type: "participant-joined", participant: BOB });
  await stage.clock.advance(2 * GRACE_MS);
  expect(stage.events).toEqual([]);
  expect(stage.heard.filter(({ type }) => type === "subscribe")).toMatchObject([
    { trackId: 5, playoutDelayMs: 150 },
  ]);
  await participant.leave();
});

it("the room clock stays as it was, unless our own has stood still meanwhile", async () => {
  const stage = new Stage();
  const participant = await stage.begin();
  const before = participant.clockOffsetUs;
  stage.relayAheadUs = 20_000;
  await stage.move(participant);
  expect(participant.clockOffsetUs).toBe(before);
  stage.relayAheadUs = 3_600_000_000;
  await stage.move(participant);
  expect(participant.clockOffsetUs).toBe(before + 3_600_000_000);
  await participant.leave();
});

it("those who do not come have left", async () => {
  const stage = new Stage();
  const participant = await stage.begin();
  stage.participants = [];
  await stage.move(participant);
  await stage.clock.advance(2 * GRACE_MS);
  expect(stage.events).toEqual([{ type: "participant-left", identity: "bob", reason: "lost" }]);
  await stage.move(participant);
  expect(stage.heard[0]).toMatchObject({ resume: { subscriptions: [] } });
  await participant.leave();
});

it("what has changed of those who are there is told, and nothing else", async () => {
  const stage = new Stage();
  const participant = await stage.begin();
  const muted = { trackId: 5, offer: { ...MICROPHONE, muted: true } };
  const more = { trackId: 6, offer: { ...MICROPHONE, source: "screen-audio" } as TrackOffer };
  stage.participants = [{ ...BOB, tracks: [muted, more] }];
  await stage.move(participant);
  stage.participants = [{ ...BOB, tracks: [more] }];
  await stage.move(participant);
  await stage.clock.advance(2 * GRACE_MS);
  expect(stage.events).toEqual([
    { type: "track-muted", identity: "bob", trackId: 5, muted: true, by: "bob" },
    { type: "track-published", identity: "bob", track: more },
    { type: "track-unpublished", identity: "bob", trackId: 5 },
  ]);
  await participant.leave();
});

it("a track that may not go on is published anew, and is over where that is refused", async () => {
  const stage = new Stage();
  const participant = await stage.begin();
  const track = await stage.clock.until(participant.publish(MICROPHONE));
  expect(track.trackId).toBe(7);
  stage.publishes = 8;
  await stage.move(participant);
  await stage.clock.advance(100);
  expect(stage.heard[0]).toMatchObject({ resume: { tracks: [{ trackId: 7 }] } });
  expect(stage.events).toEqual([{ type: "republished", was: 7, trackId: 8 }]);
  expect(track.trackId).toBe(8);
  stage.resumedTracks = [8];
  await stage.move(participant);
  await stage.clock.advance(100);
  expect(stage.heard.some(({ type }) => type === "publish")).toBe(false);
  stage.resumedTracks = [];
  stage.publishes = undefined;
  await stage.move(participant);
  await stage.clock.advance(100);
  expect(stage.events.at(-1)).toEqual({ type: "unpublished", trackId: 8, code: "forbidden", message: "no" });
  await participant.leave();
});
