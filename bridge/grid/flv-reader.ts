/** H.264 out of a growing FLV file (Adobe FLV 10.1, annex E), as ffmpeg writes it to a pipe: each access unit as soon as its tag is whole. */
import { type AvcConfig, annexBOfAvcc, readAvcConfig } from "../rtmp/avc-config.ts";
import { readVideoTags } from "../rtmp/flv-video.ts";
import { RtmpError } from "../rtmp/rtmp-error.ts";
import { MAX_ENCODED_BYTES } from "./limits.ts";

/** The file's header, and the size of the tag before the first. */
const FILE_HEADER_BYTES = 13;
const TAG_HEADER_BYTES = 11;
const TAG_SIZE_BYTES = 4;
const VIDEO_TAG = 9;

export class FlvReader {
  readonly #onUnit: (bytes: Uint8Array, keyframe: boolean) => void;
  readonly #pieces: Uint8Array[] = [];
  #bytes = 0;
  #begun = false;
  #config: AvcConfig | undefined;

  /** `onUnit`: Annex B, SPS and PPS in front of each keyframe. */
  constructor(onUnit: (bytes: Uint8Array, keyframe: boolean) => void) {
    this.#onUnit = onUnit;
  }

  /** The next bytes, cut anywhere, which must not change afterwards. Throws RtmpError where they are no FLV, or too large. */
  push(bytes: Uint8Array): void {
    this.#pieces.push(bytes);
    this.#bytes += bytes.length;
    if (!this.#begun) {
      if (this.#bytes < FILE_HEADER_BYTES) return;
      this.#take(FILE_HEADER_BYTES);
      this.#begun = true;
    }
    while (this.#bytes >= TAG_HEADER_BYTES) {
      const header = this.#take(TAG_HEADER_BYTES);
      const length = (header[1]! << 16) | (header[2]! << 8) | header[3]!;
      if (length > MAX_ENCODED_BYTES) throw new RtmpError("too-large", `A picture has ${length} bytes.`);
      if (this.#bytes < length + TAG_SIZE_BYTES) {
        this.#pieces.unshift(header);
        this.#bytes += header.length;
        return;
      }
      const body = this.#take(length);
      this.#take(TAG_SIZE_BYTES);
      if (header[0] === VIDEO_TAG) this.#read(body);
    }
  }

  #read(body: Uint8Array): void {
    for (const { kind, data } of readVideoTags(body)) {
      if (kind === "config") this.#config = readAvcConfig(data);
      if (kind !== "frame" || this.#config === undefined) continue;
      const unit = annexBOfAvcc(data, this.#config);
      if (unit !== undefined) this.#onUnit(unit.bytes, unit.keyframe);
    }
  }

  /** The next bytes in one piece; so many are here. */
  #take(count: number): Uint8Array {
    const [first] = this.#pieces;
    this.#bytes -= count;
    if (first !== undefined && first.length > count) {
      this.#pieces[0] = first.subarray(count);
      return first.subarray(0, count);
    }
    const out = new Uint8Array(count);
    let at = 0;
    while (at < count) {
      const piece = this.#pieces.shift()!;
      const part = piece.subarray(0, count - at);
      out.set(part, at);
      at += part.length;
      if (part.length < piece.length) this.#pieces.unshift(piece.subarray(part.length));
    }
    return out;
  }
}
