/** What a hostile server may answer. */
import { expect, it } from "vitest";
import { seededRandom } from "../../test/sim/seeded-random.ts";
import { VirtualClock } from "../../test/sim/virtual-clock.ts";
import type { ByteSocket } from "../net/byte-socket.ts";
import { memorySocketPair } from "../net/memory-socket.ts";
import { parseTargetUrl } from "./target-address.ts";
import { TargetConnection } from "./target-connection.ts";
import { ScriptedServer } from "./testing/scripted-server.ts";

const URL = parseTargetUrl("rtmp://live.example.org/app/secret-key-77");

/** Everything that passes to the client is changed here and there, cut, or repeated. */
function damaging(socket: ByteSocket, random: () => number): ByteSocket {
  return {
    remoteAddress: socket.remoteAddress,
    get queuedBytes() {
      return socket.queuedBytes;
    },
    read: () => socket.read(),
    finish: () => socket.finish(),
    destroy: () => socket.destroy(),
    write(bytes) {
      // The handshake passes whole, so that what comes behind it is met.
      if (bytes.length > 3_000) return socket.write(bytes);
      const copy = bytes.slice();
      const kind = random();
      if (kind < 0.3)
        for (let i = 0; i < 3; i++) copy[Math.floor(random() * copy.length)] = Math.floor(random() * 256);
      const cut = kind > 0.6 && kind < 0.7 ? copy.subarray(0, Math.floor(random() * copy.length)) : copy;
      return kind > 0.9 ? socket.write(cut).then(() => socket.write(cut.slice())) : socket.write(cut);
    },
  };
}

it("is survived: every connection opens or ends, with a sentence without the key", async () => {
  const rounds = Number(process.env.FUZZ_RUNS ?? 300);
  const random = seededRandom(19);
  const clock = new VirtualClock();
  const reasons = new Set<string>();
  let opened = 0;
  for (let round = 0; round < rounds; round++) {
    const [ours, theirs] = memorySocketPair();
    const server = new ScriptedServer(damaging(theirs, random), {}, random);
    const connection = new TargetConnection(ours, URL);
    const open = connection.open(random).then(
      () => "open",
      () => "failed",
    );
    const first = Promise.race([open, connection.ended.then(() => "ended")]);
    await clock.advance(1);
    for (let i = 0; i < 5; i++) {
      server.saySomethingElse(
        Uint8Array.from({ length: 1 + Math.floor(random() * 40) }, () => Math.floor(random() * 256)),
      );
    }
    await clock.advance(1);
    connection.close({ reason: "lost", message: "was left." });
    if ((await first) === "open") opened++;
    const end = await connection.ended;
    expect(end.message).toMatch(/\.$/);
    expect(end.message).not.toContain("secret-key");
    expect(end.message.length).toBeLessThan(400);
    reasons.add(end.message.slice(0, 12));
  }
  expect(opened).toBeGreaterThan(rounds / 20);
  expect(reasons.size).toBeGreaterThan(1);
});
