import { describe, expect, it } from "vitest";
import { seededRandom } from "../../test/sim/seeded-random.ts";
import { VirtualClock } from "../../test/sim/virtual-clock.ts";
import { SocketError } from "../net/byte-socket.ts";
import { memorySocketPair } from "../net/memory-socket.ts";
import { BLOCK_SAMPLES, type Programme, type ProgrammeSink } from "../programme/programme.ts";
import { MESSAGE, readData } from "../rtmp/messages.ts";
import type { SoundEncoder, SoundEncoderOptions } from "../sound/sound-encoder.ts";
import { RtmpOutput } from "./rtmp-output.ts";
import { stillPictures } from "./still-picture.ts";
import { TargetGuard } from "./target-address.ts";
import { type MeetingPlan, ScriptedServers } from "./testing/scripted-server.ts";

const PICTURE_MS = 40;
const SILENCE = new Float32Array(BLOCK_SAMPLES);
const [KEYFRAME = SILENCE, DELTA = SILENCE] = stillPictures() as Uint8Array[];

/** A camera that makes keyframes when it is asked to, and no others. */
class Camera implements Programme {
  readonly room = "r";
  readonly participants = [];
  readonly delayMs = 0;
  readonly keyframeLeadMs = 0;
  readonly problem = "";
  hasPicture = true;
  readonly keyframesUs: number[] = [];
  sinks: ProgrammeSink[] = [];
  #wanted = true;
  #lastAskedUs = 0;
  readonly #clock: VirtualClock;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  add(sink: ProgrammeSink): () => void {
    this.sinks.push(sink);
    this.requestKeyframe();
    return () => {
      this.sinks = this.sinks.filter((each) => each !== sink);
    };
  }

  requestKeyframe(): void {
    if (this.#clock.nowUs() - this.#lastAskedUs < 500_000) return;
    this.#lastAskedUs = this.#clock.nowUs();
    this.#wanted = true;
  }

  async play(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += PICTURE_MS) {
      const timeUs = this.#clock.nowUs();
      const keyframe = this.#wanted;
      this.#wanted = false;
      if (keyframe && this.hasPicture) this.keyframesUs.push(timeUs);
      for (const sink of this.sinks) {
        for (const offset of [0, 20_000])
          sink.onSound({ timeUs: timeUs + offset, left: SILENCE, right: SILENCE });
        const bytes = keyframe ? KEYFRAME : DELTA;
        if (this.hasPicture)
          sink.onPicture({
            timeUs,
            decodeTimeUs: timeUs,
            keyframe,
            switched: false,
            bytes: bytes as Uint8Array,
          });
      }
      await this.#clock.advance(PICTURE_MS);
    }
  }
}

/** Gives a frame for every block. `fail`: breaks as an encoder might. */
class Encoders {
  opened = 0;
  closed = 0;
  refuse = false;
  #options: SoundEncoderOptions | undefined;

  readonly open = async (options: SoundEncoderOptions): Promise<SoundEncoder> => {
    this.opened++;
    if (this.refuse) throw new Error("it does not start");
    this.#options = options;
    return {
      config: Uint8Array.of(0x11, 0x90),
      frameSamples: BLOCK_SAMPLES,
      droppedBlocks: 0,
      push: ({ timeUs }) => options.onFrame({ timeUs, bytes: new Uint8Array(200) }),
      finish: async () => undefined,
      close: () => {
        this.closed++;
      },
    };
  };

  fail(): void {
    this.#options?.onFailure(new Error("it broke"));
  }
}

function stage(...plans: MeetingPlan[]) {
  const clock = new VirtualClock();
  const random = seededRandom(8);
  const camera = new Camera(clock);
  const encoders = new Encoders();
  const servers = plans.map((plan) => new ScriptedServers(clock, random, plan));
  const output = new RtmpOutput(
    plans.map((_, index) => ({ name: `target ${index}`, url: `rtmp://8.8.8.8:${2000 + index}/app/key` })),
    {
      clock,
      random,
      programme: camera,
      openEncoder: encoders.open,
      guard: new TargetGuard(async () => []),
      dial: async ({ port }) => {
        const [ours, theirs] = memorySocketPair();
        if ((await servers[port - 2000]!.meet(theirs)) === undefined)
          throw new SocketError("nobody is there.");
        return ours;
      },
    },
  );
  return { clock, camera, encoders, servers, output };
}

describe("RtmpOutput", () => {
  it("asks for a keyframe each two seconds, and for no more", async () => {
    const { camera, output } = stage([{}]);
    await camera.play(20_000);
    const gaps = camera.keyframesUs.slice(2).map((at, index) => (at - camera.keyframesUs[index + 1]!) / 1000);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(2_000 + 2 * PICTURE_MS);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(2_000 - PICTURE_MS);
    expect(output.status).toMatchObject({ state: "running", message: "" });
  });

  it("sends the same to every target, and no target's trouble is another's", async () => {
    const { camera, servers, output } = stage([{}], [{ readsMedia: 5 }], [{}], ["refused"]);
    await camera.play(9_000);
    const [first, second, third] = servers.map(({ servers: [server] }) => server?.media ?? []);
    expect(first!.length).toBeGreaterThan(600);
    expect(third!.map(({ timestamp, payload }) => [timestamp, payload])).toEqual(
      first!.map(({ timestamp, payload }) => [timestamp, payload]),
    );
    expect(second!.length).toBeLessThan(20);
    const { targets, state, latencyMs, message } = output.status;
    expect(targets.map(({ name, state: each }) => [name, each])).toEqual([
      ["target 0", "running"],
      ["target 1", "running"],
      ["target 2", "running"],
      ["target 3", "reconnecting"],
    ]);
    expect(targets[0]!.bytesSent).toBe(targets[2]!.bytesSent);
    expect([state, message]).toEqual(["running", "8.8.8.8 is not reached: nobody is there. Trying again."]);
    expect(latencyMs).not.toBeNull();
  });

  it("says in its metadata what is sent", async () => {
    const { camera, servers } = stage([{}]);
    await camera.play(400);
    servers[0]!.last.reset();
    await camera.play(1_000);
    const [, , entries] = readData(servers[0]!.last.data[0]!);
    expect(entries).toMatchObject({
      width: 1280,
      height: 720,
      videocodecid: 7,
      audiocodecid: 10,
      audiosamplerate: 48_000,
    });
  });

  it("shows the still to targets that begin while nobody is seen, at once", async () => {
    const { camera, servers } = stage(["refused", "refused", {}]);
    camera.hasPicture = false;
    await camera.play(2_000);
    const { media } = servers[0]!.last;
    expect(media[1]).toMatchObject({ type: MESSAGE.video, timestamp: 0 });
    expect(media[1]!.payload[0]).toBe(0x17);
    expect(media.filter(({ type }) => type === MESSAGE.audio).length).toBeGreaterThan(40);
    expect(camera.keyframesUs).toEqual([]);
  });

  it("goes on without sound, says so, and has it again with the next encoder", async () => {
    const { camera, encoders, servers, output } = stage([{}]);
    await camera.play(1_000);
    const before = servers[0]!.last.media.length;
    encoders.refuse = true;
    encoders.fail();
    await camera.play(3_000);
    expect(output.status.message).toBe("There is no sound: it does not start");
    const without = servers[0]!.last.media.slice(before + 4);
    expect(without.length).toBeGreaterThan(60);
    expect(without.every(({ type }) => type === MESSAGE.video)).toBe(true);
    encoders.refuse = false;
    await camera.play(3_000);
    expect(output.status.message).toBe("");
    expect(
      servers[0]!.last.media.at(-1)!.type === MESSAGE.audio ||
        servers[0]!.last.media.at(-2)!.type === MESSAGE.audio,
    ).toBe(true);
  });

  it("ends with the programme: goodbye to all, the encoder closed, nothing left that waits", async () => {
    const { camera, encoders, clock, servers, output } = stage([{}], [{ readsMedia: 2 }], ["refused"]);
    await camera.play(1_000);
    camera.sinks[0]!.onEnd!();
    await clock.until(output.close(), 2_500);
    expect(output.status).toMatchObject({ state: "ended", message: "", latencyMs: null });
    expect(servers[0]!.last.commands.at(-1)).toBe("deleteStream(1)");
    expect([camera.sinks.length, encoders.closed]).toEqual([0, 1]);
    await clock.advance(60_000);
    expect(clock.waiting).toBe(0);
  });

  it("holds on to nothing more after minutes with a target that takes nothing", async () => {
    const { camera, clock, output } = stage([{}], [{ readsMedia: 5 }]);
    for (let minutes = 0; minutes < 3; minutes++) {
      await camera.play(60_000);
      expect(clock.waiting).toBeLessThan(20);
    }
    expect(output.status.targets[0]).toMatchObject({ state: "running", dropped: 0 });
    expect(output.status.targets[1]!.dropped).toBeGreaterThan(0);
  });
});
