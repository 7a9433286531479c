/** RTMP egress into nginx's RTMP module, looked at with ffprobe, ffmpeg and our own measurements. */
import { connect, createServer as createTcpServer } from "node:net";
import { createSecureContext, createServer as createTlsServer } from "node:tls";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { dialTarget, resolveHost } from "../../bridge/node/rtmp-target-dial.ts";
import { RtmpOutput, type RtmpOutputParts } from "../../bridge/rtmp-out/rtmp-output.ts";
import { TargetGuard } from "../../bridge/rtmp-out/target-address.ts";
import { openAacEncoder } from "../../bridge/sound/aac-encoder.ts";
import { wallClock } from "../sim/wall-clock.ts";
import { type ClipPicture, makeFlashClip } from "./flash-clip.ts";
import { BEEP_HZ, FlashingProgramme, LEFT_HZ, RIGHT_HZ } from "./flashing-programme.ts";
import { NginxRtmp } from "./nginx-rtmp.ts";
import {
  contentHashOf,
  picturesOf,
  type ReceivedUnit,
  samplesOf,
  streamsOf,
  unitsOf,
} from "./received-media.ts";
import { makeTestCertificate } from "./test-certificate.ts";
import { beepStarts, toneLevel } from "./tones.ts";

const RATE_HZ = 48_000;
/** How long sound and picture are compared: EGRESS_SECONDS=600 for ten minutes. */
const SECONDS = Number(process.env.EGRESS_SECONDS ?? 6);
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

let nginx: NginxRtmp;
let wide: ClipPicture[];
let small: ClipPicture[];
const ends: (() => Promise<void> | void)[] = [];

beforeAll(async () => {
  nginx = await NginxRtmp.start();
  [wide, small] = await Promise.all([makeFlashClip(640, 360), makeFlashClip(320, 240)]);
});
afterAll(() => nginx?.stop());
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

function play(clip?: readonly ClipPicture[]): FlashingProgramme {
  const programme = new FlashingProgramme(wallClock, clip);
  ends.push(() => programme.stop());
  return programme;
}

function send(
  programme: FlashingProgramme,
  urls: readonly string[],
  parts: Partial<RtmpOutputParts> = {},
): RtmpOutput {
  const output = new RtmpOutput(
    urls.map((url) => ({ url })),
    {
      clock: wallClock,
      random: Math.random,
      programme,
      openEncoder: openAacEncoder,
      guard: new TargetGuard(resolveHost, ["127.0.0.0/8"]),
      dial: dialTarget(),
      ...parts,
    },
  );
  ends.push(() => output.close());
  return output;
}

async function until(isSo: () => boolean, what: string, patienceMs = 15_000): Promise<number> {
  const beganMs = performance.now();
  while (!isSo()) {
    if (performance.now() - beganMs > patienceMs) throw new Error(`it is not so: ${what}`);
    await pause(20);
  }
  return performance.now() - beganMs;
}

/** Longest time between two units of a kind, seconds. */
function longestGap(units: readonly ReceivedUnit[], kind: "audio" | "video"): number {
  const times = units.filter((unit) => unit.kind === kind).map((unit) => unit.seconds);
  return Math.max(...times.slice(1).map((time, index) => time - times[index]!));
}

/** By how much a unit lies before one that came earlier, at most, seconds. Where this machine is busy the encoder of sound may be late. */
function worstDisorder(units: readonly ReceivedUnit[]): number {
  let newest = 0;
  let worst = 0;
  for (const { seconds } of units) {
    newest = Math.max(newest, seconds);
    worst = Math.max(worst, newest - seconds);
  }
  return worst;
}

describe("what nginx gets", () => {
  it(
    "is H.264 and AAC with both tones, sound and picture together, without a gap where the picture's source changes",
    async () => {
      const programme = play(wide);
      const output = send(programme, [nginx.url("one", "recorded")]);
      const changes = Math.floor(SECONDS / 3) - 1;
      for (let change = 0; change < changes; change++) {
        await pause(3_000);
        programme.show(change % 2 === 0 ? small : wide);
      }
      await pause(3_300);
      expect(output.status).toMatchObject({ state: "running", message: "" });
      expect(output.status.latencyMs).toBeGreaterThan(0);
      await output.close();
      expect(output.status.state).toBe("ended");

      const file = nginx.recording("one");
      expect(await streamsOf(file)).toMatchObject([
        { codec_name: "h264", profile: "Constrained Baseline" },
        { codec_name: "aac", profile: "LC", sample_rate: "48000", channels: 2 },
      ]);
      const units = await unitsOf(file);
      expect(units[0]).toMatchObject({ kind: "video", keyframe: true });
      expect(longestGap(units, "video")).toBeLessThan(0.036);
      expect(longestGap(units, "audio")).toBeLessThan(0.024);
      expect(worstDisorder(units)).toBeLessThan(0.5);

      const pictures = await picturesOf(file);
      const sizes = pictures.map(({ width, height }) => `${width}x${height}`);
      const runs = sizes.filter((size, index) => size !== sizes[index - 1]);
      expect(runs).toEqual(Array.from({ length: changes + 1 }, (_, at) => ["640x360", "320x240"][at % 2]));

      const [left, right] = await Promise.all([samplesOf(file, "left"), samplesOf(file, "right")]);
      expect(toneLevel(left, LEFT_HZ, RATE_HZ)).toBeCloseTo(0.15, 1);
      expect(toneLevel(right, RIGHT_HZ, RATE_HZ)).toBeCloseTo(0.15, 1);
      expect(toneLevel(left, RIGHT_HZ, RATE_HZ)).toBeLessThan(0.01);

      const soundBegins = units.find((unit) => unit.kind === "audio")!.seconds;
      const beeps = beepStarts(left, BEEP_HZ, RATE_HZ, 0.3).map((seconds) => seconds + soundBegins);
      const flashes = pictures
        .filter(({ brightness }, at) => at > 0 && brightness > 200 && pictures[at - 1]!.brightness < 200)
        .map(({ seconds }) => seconds);
      expect(flashes.length).toBeGreaterThanOrEqual(4);
      const offsets = flashes.map((flash) => Math.min(...beeps.map((beep) => Math.abs(beep - flash))));
      console.info(`sound and picture apart by at most ${(Math.max(...offsets) * 1000).toFixed(1)} ms`);
      expect(Math.max(...offsets)).toBeLessThan(0.06);
    },
    60_000 + 2_000 * SECONDS,
  );

  it("has a still where nobody is seen, and a keyframe each two seconds of it", async () => {
    const programme = play();
    const output = send(programme, [nginx.url("still", "recorded")]);
    await pause(4_300);
    programme.show(wide);
    await pause(2_000);
    programme.show(undefined);
    await pause(1_500);
    await output.close();
    const file = nginx.recording("still");
    const pictures = await picturesOf(file);
    const runs = pictures.map(({ width }) => width).filter((width, at, all) => width !== all[at - 1]);
    expect(runs).toEqual([1280, 640, 1280]);
    const units = await unitsOf(file);
    expect(longestGap(units, "video")).toBeLessThan(0.6);
    expect(longestGap(units, "audio")).toBeLessThan(0.024);
    const keyframes = units.filter((unit) => unit.kind === "video" && unit.keyframe);
    expect(longestGap(keyframes, "video")).toBeLessThan(2.1);
  });
});

describe("a target that goes away", () => {
  it("is sent to again when it is back, by itself", async () => {
    const programme = play(wide);
    const output = send(programme, [nginx.url("two", "recorded")]);
    await until(() => output.status.state === "running", "the target runs");
    await nginx.kill();
    await until(() => output.status.state === "reconnecting", "the target is missed");
    expect(output.status.message).toMatch(/^127\.0\.0\.1 .+ Trying again\.$/);
    expect(output.status.message).not.toContain("two");
    await pause(3_000);
    await nginx.restart();
    const sent = output.status.targets[0]!.bytesSent;
    const tookMs = await until(() => output.status.targets[0]!.bytesSent > sent + 1_000, "it goes on");
    console.info(`went on ${Math.round(tookMs)} ms after the target was back`);
    await pause(1_500);
    await output.close();
    const units = await unitsOf(nginx.recording("two"));
    expect(units.find((unit) => unit.kind === "video")).toMatchObject({ keyframe: true });
    expect(units[0]!.seconds).toBeLessThan(0.1);
  });
});

describe("several targets", () => {
  it("do not notice one among them that stops reading: they get the same, all of it", async () => {
    // Enough to fill what the system keeps for a connection.
    const rich = await makeFlashClip(1280, 720, "24M");
    const stalled = await forward(nginx.port, 400_000);
    const programme = play(rich);
    const urls = [
      nginx.url("a", "recorded"),
      `rtmp://127.0.0.1:${stalled}/live/b`,
      nginx.url("c", "recorded"),
    ];
    const output = send(programme, urls);
    await until(() => output.status.targets[1]!.dropped > 60, "the one that stops loses pictures");
    const { targets } = output.status;
    expect(targets.map(({ dropped }) => dropped > 0)).toEqual([false, true, false]);
    expect(targets[0]!.state).toBe("running");
    await output.close();
    const [first, third] = await Promise.all(["a", "c"].map((key) => contentHashOf(nginx.recording(key))));
    expect(third).toBe(first);
    const units = await unitsOf(nginx.recording("a"));
    expect(longestGap(units, "video")).toBeLessThan(0.036);
    expect(longestGap(units, "audio")).toBeLessThan(0.024);
  });
});

describe("rtmps", () => {
  it("goes to the address that was checked, with the target's name in SNI and in the certificate", async () => {
    const { cert, key } = await makeTestCertificate("live.example.test");
    const names: string[] = [];
    const server = createTlsServer(
      {
        SNICallback: (name, done) => {
          names.push(name);
          done(null, createSecureContext({ cert, key }));
        },
      },
      (socket) => {
        const onward = connect(nginx.port, "127.0.0.1");
        socket.pipe(onward).pipe(socket);
        socket.on("error", () => onward.destroy());
        onward.on("error", () => socket.destroy());
      },
    );
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    ends.push(() => void server.close());
    const { port } = server.address() as { port: number };
    const asked: string[] = [];
    const resolve = async (host: string): Promise<string[]> => {
      asked.push(host);
      return ["127.0.0.1"];
    };
    const programme = play(wide);
    const urls = ["live", "other"].map((host) => `rtmps://${host}.example.test:${port}/recorded/${host}-tls`);
    const guard = new TargetGuard(resolve, ["live.example.test", "other.example.test"]);
    const output = send(programme, urls, { guard, dial: dialTarget(cert) });
    await until(() => output.status.targets[0]!.bytesSent > 20_000, "it is sent over TLS");
    expect(names).toContain("live.example.test");
    expect(asked).toContain("live.example.test");
    // A certificate for another name is not taken.
    expect(output.status.targets[1]).toMatchObject({ state: "reconnecting", bytesSent: 0 });
    expect(output.status.targets[1]!.message).toMatch(/other\.example\.test.*(altnames|certificate)/i);
    await output.close();
    expect((await unitsOf(nginx.recording("live-tls"))).length).toBeGreaterThan(20);
  });
});

/** A port that passes on to another, and stops reading for good after so many bytes. */
async function forward(port: number, readsBytes: number): Promise<number> {
  const server = createTcpServer((socket) => {
    const onward = connect(port, "127.0.0.1");
    let read = 0;
    onward.pipe(socket);
    socket.on("data", (bytes: Uint8Array) => {
      onward.write(bytes);
      read += bytes.length;
      if (read > readsBytes) socket.pause();
    });
    for (const each of [socket, onward]) each.on("error", () => [socket, onward].map((end) => end.destroy()));
    ends.push(() => {
      socket.destroy();
      onward.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  ends.push(() => void server.close());
  return (server.address() as { port: number }).port;
}
