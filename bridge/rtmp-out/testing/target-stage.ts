/** One target over servers in memory in simulated time, with sound and pictures going by. */
import { seededRandom } from "../../../test/sim/seeded-random.ts";
import { VirtualClock } from "../../../test/sim/virtual-clock.ts";
import { SocketError } from "../../net/byte-socket.ts";
import { memorySocketPair } from "../../net/memory-socket.ts";
import type { FlvTag } from "../flv-tag.ts";
import { Target } from "../target.ts";
import { TargetGuard } from "../target-address.ts";
import { type MeetingPlan, ScriptedServers } from "./scripted-server.ts";

export const KEY = "secret-key-77";
const URL = `rtmp://live.example.org/app/${KEY}`;
export const PICTURE_MS = 40;
const GOP = 25;

export class Stage {
  readonly clock = new VirtualClock();
  readonly servers: ScriptedServers;
  readonly target: Target;
  readonly endpoints: unknown[] = [];
  keyframesAsked = 0;
  /** Each wanted keyframe comes at the next picture. */
  #wanted = true;
  #pictures = 0;
  readonly #headers = { sound: Uint8Array.of(0xaf, 0, 1), picture: Uint8Array.of(0x17, 0, 0, 0, 0) };

  constructor(plan: MeetingPlan, url = URL, allowed: string[] = []) {
    const random = seededRandom(5);
    this.servers = new ScriptedServers(this.clock, random, plan);
    const guard = new TargetGuard(
      async (host) => (host === "inside.example.org" ? ["10.0.0.1"] : ["8.8.8.8", "8.8.4.4"]),
      allowed,
    );
    this.target = new Target(
      { url },
      {
        clock: this.clock,
        random,
        guard,
        dial: async (endpoint) => {
          this.endpoints.push(endpoint);
          const [ours, theirs] = memorySocketPair();
          if ((await this.servers.meet(theirs)) === undefined) throw new SocketError("nobody listens there");
          return ours;
        },
        metadata: () => ({ width: 640 }),
        onKeyframeNeeded: () => {
          this.keyframesAsked++;
          this.#wanted = true;
        },
      },
    );
  }

  /** Pictures and sound go by for so long. `eachInstant` sees every step. */
  async play(ms: number, eachInstant?: () => void, pictureBytes = 1_000): Promise<void> {
    for (let passed = 0; passed < ms; passed += PICTURE_MS) {
      const keyframe = this.#wanted || this.#pictures % GOP === 0;
      this.#wanted = false;
      const timestampMs = this.#pictures * PICTURE_MS;
      const captureUs = this.clock.nowUs() - 30_000;
      const body = new Uint8Array(pictureBytes);
      body[0] = keyframe ? 0x17 : 0x27;
      new DataView(body.buffer).setUint32(5, this.#pictures);
      this.#pictures++;
      const picture: FlvTag = {
        kind: "picture",
        timestampMs,
        keyframe,
        body,
        header: this.#headers.picture,
        captureUs,
      };
      this.target.push(picture);
      for (const offset of [0, 20]) {
        this.target.push({
          kind: "sound",
          timestampMs: timestampMs + offset,
          keyframe: false,
          body: new Uint8Array(300),
          header: this.#headers.sound,
          captureUs,
        });
      }
      await this.clock.advance(PICTURE_MS, eachInstant);
    }
  }
}
