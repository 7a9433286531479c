/** An ingest server in simulated time, with memory sockets in place of a network, that keeps what it takes. */
import { seededRandom } from "../../../test/sim/seeded-random.ts";
import { VirtualClock } from "../../../test/sim/virtual-clock.ts";
import { memorySocketPair } from "../../net/memory-socket.ts";
import type { Amf0Object } from "../amf0.ts";
import type { ChunkWriterOptions } from "../chunk-writer.ts";
import { IngestServer } from "../ingest-server.ts";
import type {
  Authorise,
  IngestAudio,
  IngestControl,
  IngestEnd,
  IngestRequest,
  IngestSink,
  IngestVideo,
  VideoCodec,
} from "../ingest-sink.ts";
import { TestClient } from "./test-client.ts";

export const KEY = "the-right-key-of-camera-1";
/** Baseline, level 3.1. */
export const AVC_CONFIG = Uint8Array.from([
  1, 0x42, 0xe0, 0x1f, 0xff, 0xe1, 0, 5, 0x67, 0x42, 0xe0, 0x1f, 0xda, 1, 0, 4, 0x68, 0xce, 0x3c, 0x80,
]);
/** Access units behind their lengths. */
export const IDR = Uint8Array.of(0, 0, 0, 3, 0x65, 0x88, 0x84);
export const SLICE = Uint8Array.of(0, 0, 0, 3, 0x41, 0x9a, 0x22);

export interface Taken {
  control: IngestControl;
  video: IngestVideo[];
  audio: IngestAudio[];
  metadata: Amf0Object[];
  ends: IngestEnd[];
}

export class TestIngest {
  readonly clock = new VirtualClock();
  readonly log: string[] = [];
  readonly taken: Taken[] = [];
  readonly requests: IngestRequest[] = [];
  /** What `accept` rejected with. */
  readonly faults: unknown[] = [];
  videoCodecs: VideoCodec[] = [];
  authorise: Authorise = (request) => this.judge(request);
  readonly server = new IngestServer({
    clock: this.clock,
    random: seededRandom(1),
    authorise: (request) => this.authorise(request),
    log: (line) => this.log.push(line),
  });

  /** What `authorise` is unless a test sets another. */
  readonly judge: Authorise = async (request) => {
    this.requests.push(request);
    if (request.streamKey !== KEY) return { granted: false, wrongKey: true, message: "The key is wrong." };
    const open = (control: IngestControl): IngestSink => this.open(control);
    return { granted: true, publication: "camera-1", videoCodecs: this.videoCodecs, open };
  };

  open(control: IngestControl): IngestSink {
    const one: Taken = { control, video: [], audio: [], metadata: [], ends: [] };
    this.taken.push(one);
    return {
      onVideo: (unit) => void one.video.push(unit),
      onAudio: (unit) => void one.audio.push(unit),
      onMetadata: (entries) => void one.metadata.push(entries),
      onEnd: (end) => void one.ends.push(end),
    };
  }

  /** A client whose handshake is made. */
  async dial(address = "192.0.2.7:4000", options: ChunkWriterOptions = {}): Promise<TestClient> {
    const [near, far] = memorySocketPair([address, "198.51.100.1:1935"]);
    this.server.accept(far).catch((error: unknown) => this.faults.push(error));
    const client = new TestClient(near, seededRandom(2), options);
    client.begin();
    await this.clock.advance(1);
    return client;
  }

  /** A client that publishes. */
  async publisher(options: ChunkWriterOptions = {}, object: Amf0Object = {}): Promise<TestClient> {
    const client = await this.dial(undefined, options);
    client.publish(KEY, object);
    await this.clock.advance(1);
    const codes = client.codes.join();
    if (codes !== "NetConnection.Connect.Success,NetStream.Publish.Start") throw new Error(codes);
    return client;
  }
}
