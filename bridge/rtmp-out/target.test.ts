import { describe, expect, it } from "vitest";
import { command, MESSAGE, readData, USER_EVENT, userControl, windowSize } from "../rtmp/messages.ts";
import {
  MAX_REFUSALS,
  MAX_TARGET_QUEUE_BYTES,
  MAX_TARGET_QUEUE_MS,
  MAX_TARGET_QUEUE_TAGS,
} from "./limits.ts";
import { KEY, PICTURE_MS, Stage } from "./testing/target-stage.ts";

/** Numbers of the pictures that a server got. */
function picturesOf(media: readonly { type: number; payload: Uint8Array }[]): number[] {
  return media
    .filter(({ type, payload }) => type === MESSAGE.video && payload.length > 5)
    .map(({ payload }) => new DataView(payload.buffer, payload.byteOffset).getUint32(5));
}

describe("publishing", () => {
  it("says what encoders say, and sends headers once, a keyframe first, from time 0", async () => {
    const stage = new Stage([{}]);
    await stage.play(1_000);
    const { commands, commandObjects, data, media } = stage.servers.last;
    expect(commands).toEqual([
      "connect()",
      `releaseStream(${KEY})`,
      `FCPublish(${KEY})`,
      "createStream()",
      `publish(${KEY}, live)`,
    ]);
    expect(commandObjects[0]).toMatchObject({
      app: "app",
      tcUrl: "rtmp://live.example.org/app",
      type: "nonprivate",
      capsEx: 1,
    });
    expect(data.map(readData)).toEqual([["@setDataFrame", "onMetaData", { width: 640 }]]);
    expect(stage.keyframesAsked).toBe(1);
    expect(
      media.slice(0, 4).map(({ type, payload, timestamp }) => [type, payload[1] ?? 0, timestamp]),
    ).toEqual([
      [MESSAGE.video, 0, 0],
      [MESSAGE.video, 0, 0],
      [MESSAGE.audio, 0, 0],
      [MESSAGE.audio, 0, 0],
    ]);
    expect(media.filter(({ payload }) => payload.length <= 5)).toHaveLength(2);
    expect(stage.target.status).toMatchObject({
      name: "live.example.org",
      state: "running",
      message: "",
      dropped: 0,
    });
    expect(stage.target.status.bytesSent).toBeGreaterThan(20_000);
    expect(stage.target.latencyMs).toBeCloseTo(30, 5);
    expect(stage.endpoints).toEqual([
      { address: "8.8.8.8", port: 1935, serverName: undefined, timeoutMs: 10_000 },
    ]);
  });

  it("goes to the address that was checked, with the name in SNI", async () => {
    const stage = new Stage([{}], `rtmps://live.example.org/app/${KEY}`);
    await stage.play(200);
    expect(stage.endpoints).toEqual([
      { address: "8.8.8.8", port: 443, serverName: "live.example.org", timeoutMs: 10_000 },
    ]);
  });

  it("answers pings, acknowledges what it was told to, and needs no acknowledgements itself", async () => {
    const stage = new Stage([{}]);
    await stage.play(200);
    const server = stage.servers.last;
    server.say(windowSize(2_000));
    server.say(userControl(USER_EVENT.pingRequest, 77));
    for (let i = 0; i < 5; i++) server.say(command("onBWDone", 0, null, ["x".repeat(1_000)]));
    await stage.play(60_000);
    expect(
      server.control.filter(({ type }) => type === MESSAGE.userControl).map(({ payload }) => [...payload]),
    ).toEqual([[0, USER_EVENT.pingResponse, 0, 0, 0, 77]]);
    expect(server.control.filter(({ type }) => type === MESSAGE.acknowledgement).length).toBeGreaterThan(1);
    expect(stage.target.status.state).toBe("running");
    expect(stage.servers.triedUs).toHaveLength(1);
  });

  it("says goodbye with what waits sent", async () => {
    const stage = new Stage([{}]);
    await stage.play(400);
    await stage.clock.until(stage.target.close());
    const { commands, endedByClient, media } = stage.servers.last;
    expect(commands.slice(-2)).toEqual([`FCUnpublish(${KEY})`, "deleteStream(1)"]);
    expect(picturesOf(media).at(-1)).toBe(9);
    expect(endedByClient).toBe(true);
    expect(stage.target.status.state).toBe("ended");
    await stage.play(30_000);
    expect(stage.servers.triedUs).toHaveLength(1);
  });
});

describe("a target that fails", () => {
  it("is tried again with longer pauses that never pass five seconds, from another address, and begins with a keyframe", async () => {
    const stage = new Stage(["refused"]);
    await stage.play(60_000);
    expect(stage.target.status).toMatchObject({ state: "reconnecting", bytesSent: 0, dropped: 0 });
    expect(stage.target.status.message).toBe(
      "live.example.org is not reached: nobody listens there. Trying again.",
    );
    const { triedUs } = stage.servers;
    const pauses = triedUs.slice(1).map((at, index) => (at - triedUs[index]!) / 1000);
    expect(pauses[0]).toBeLessThanOrEqual(250);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(3_000);
    expect(Math.min(...pauses.slice(5))).toBeGreaterThanOrEqual(1_500);
    expect(new Set(pauses.map(Math.round)).size).toBeGreaterThan(5);
    expect(stage.endpoints.slice(0, 2)).toMatchObject([{ address: "8.8.8.8" }, { address: "8.8.4.4" }]);
    stage.servers.plan = [{}];
    await stage.play(3_500);
    expect(stage.target.status.state).toBe("running");
    expect(stage.servers.last.media[1]!.payload[0]).toBe(0x17);
  });

  it("is come back to after a reset, on a new timeline, with the keyframe asked for", async () => {
    const stage = new Stage([{}]);
    await stage.play(12_000);
    stage.servers.last.reset();
    await stage.play(1_000);
    expect(stage.servers.servers).toHaveLength(2);
    expect(stage.keyframesAsked).toBe(2);
    const { media } = stage.servers.last;
    expect(media[0]!.timestamp).toBe(0);
    expect(media[1]!.payload[0]).toBe(0x17);
    expect(stage.target.status).toMatchObject({ state: "running", message: "" });
  });

  it.each(["connect", "createStream", "publish"] as const)(
    "that refuses %s is left alone in the end, its words shown without the key",
    async (at) => {
      const description = `no such key ${KEY}\n\u0007${"x".repeat(1_000)}`;
      const stage = new Stage([{ refuse: { command: at, code: "NetStream.Publish.BadName", description } }]);
      await stage.play(5_000);
      const { message } = stage.target.status;
      expect(message).toMatch(
        /^live\.example\.org refused the stream \(NetStream\.Publish\.BadName: no such key … x+\): check its URL and stream key\. Trying again\.$/,
      );
      expect(message.length).toBeLessThanOrEqual(500);
      await stage.play(15 * 60_000);
      expect(stage.servers.triedUs).toHaveLength(MAX_REFUSALS);
      expect(stage.target.status.state).toBe("failed");
      expect(stage.target.status.message).not.toContain(KEY);
    },
  );

  it.each(["handshake", "commands"] as const)(
    "that is silent from its %s on is given up and tried again",
    async (silent) => {
      const stage = new Stage([{ silent }, {}]);
      await stage.play(10_040);
      expect(stage.target.status.message).toBe(
        "live.example.org did not take the stream within 10 s. Trying again.",
      );
      await stage.play(1_000);
      expect(stage.target.status.state).toBe("running");
    },
  );

  it("that stops reading is given up after ten seconds, what waits for it stays within its maxima", async () => {
    const stage = new Stage([{ readsMedia: 40 }, {}]);
    let mostBytes = 0;
    let mostTags = 0;
    await stage.play(
      9_000,
      () => {
        mostBytes = Math.max(mostBytes, stage.target.load.queuedBytes);
        mostTags = Math.max(mostTags, stage.target.load.queuedTags);
      },
      20_000,
    );
    expect(stage.target.status.dropped).toBeGreaterThan(50);
    expect(mostBytes).toBeGreaterThan(500_000);
    expect(mostBytes).toBeLessThanOrEqual(MAX_TARGET_QUEUE_BYTES);
    expect(mostTags).toBeLessThanOrEqual((MAX_TARGET_QUEUE_MS / PICTURE_MS + 2) * 3);
    await stage.play(3_000);
    expect(stage.servers.servers).toHaveLength(2);
    expect(stage.target.status.state).toBe("running");
  });

  it("that talks nonsense is left and tried again", async () => {
    const stage = new Stage([{}]);
    await stage.play(400);
    stage.servers.last.saySomethingElse(Uint8Array.from({ length: 64 }, () => 0x94));
    await stage.play(80);
    expect(stage.target.status).toMatchObject({ state: "reconnecting" });
    expect(stage.target.status.message).toMatch(/^live\.example\.org was lost: .+ Trying again\.$/);
    await stage.play(1_000);
    expect(stage.target.status.state).toBe("running");
  });

  it("that may not be gone to has failed at once, and so has one that is no URL", async () => {
    const inside = new Stage([{}], `rtmp://inside.example.org/app/${KEY}`);
    await inside.play(1_000);
    expect(inside.target.status).toMatchObject({
      state: "failed",
      message: expect.stringMatching(/not on the public internet/),
    });
    expect(inside.endpoints).toEqual([]);
    const wrong = new Stage([{}], `rtmp://live.example.org/${KEY}`);
    expect(wrong.target.status).toMatchObject({ state: "failed", name: "target" });
    expect(wrong.target.status.message).not.toContain(KEY);
    await wrong.clock.until(wrong.target.close());
    expect(wrong.target.status.state).toBe("failed");
  });
});

it("keeps memory flat under a target that takes a little now and then", async () => {
  const stage = new Stage([{ readsMedia: 10 }]);
  const most = { bytes: 0, tags: 0 };
  for (let minute = 0; minute < 20; minute++) {
    await stage.play(60_000, () => {
      most.bytes = Math.max(most.bytes, stage.target.load.queuedBytes);
      most.tags = Math.max(most.tags, stage.target.load.queuedTags);
    });
    expect(stage.clock.waiting).toBeLessThan(12);
  }
  expect(stage.servers.servers.length).toBeGreaterThan(50);
  expect(most.bytes).toBeLessThanOrEqual(MAX_TARGET_QUEUE_BYTES);
  expect(most.tags).toBeLessThanOrEqual(MAX_TARGET_QUEUE_TAGS);
});

it("closes while it connects, while it waits and while nothing is taken", async () => {
  for (const plan of [["unanswered"], [{ silent: "handshake" }], ["refused"], [{ readsMedia: 3 }]] as const) {
    const stage = new Stage(plan);
    await stage.play(3_000);
    await stage.clock.until(stage.target.close(), 2_500);
    expect(stage.target.status.state).toBe("ended");
    await stage.clock.advance(30_000);
    expect(stage.clock.waiting).toBe(0);
    expect(stage.target.status.state).toBe("ended");
  }
});
