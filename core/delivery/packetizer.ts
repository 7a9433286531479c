/**
 * Cuts access units into media datagrams of one track rendition. docs/wire.md, "Media datagram" and "FEC blocks".
 */
import {
  emptyMediaHeader,
  FLAG_BLOCK_END,
  FLAG_DISCARDABLE,
  FLAG_ENCRYPTED,
  FLAG_KEYFRAME,
  FLAG_REDUNDANCY,
  FLAG_VOICE,
  HOP_HEADER_BYTES,
  MEDIA_HEADER_BYTES,
  writeMediaHeader,
} from "../wire/datagram.ts";
import {
  MAX_ACCESS_UNIT_BYTES,
  MAX_FRAGMENTS,
  MAX_MEDIA_DATAGRAM_BYTES,
  MAX_REFERENCE_DISTANCE,
} from "../wire/limits.ts";
import type { AccessUnit } from "./access-unit.ts";
import { BlockBuilder } from "./block-builder.ts";

/** The access unit cannot be sent; `message` says what to change. */
export class AccessUnitTooLargeError extends Error {
  override readonly name = "AccessUnitTooLargeError";
}

export class Packetizer {
  readonly #trackId: number;
  readonly #header = emptyMediaHeader();
  readonly #buffer = new Uint8Array(MAX_MEDIA_DATAGRAM_BYTES);
  readonly #blocks = new BlockBuilder();

  constructor(trackId: number) {
    this.#trackId = trackId;
  }

  /**
   * Emits the unit's datagrams in order; each has 8 unset bytes in front for the hop header and is valid until
   * `emit` returns. `maxDatagramBytes` is the hop's or room's limit, hop header included; `redundant` says that the
   * payload begins with a redundancy section.
   */
  push(
    unit: AccessUnit,
    maxDatagramBytes: number,
    redundant: boolean,
    emit: (datagram: Uint8Array) => void,
  ): void {
    const overhead = HOP_HEADER_BYTES + MEDIA_HEADER_BYTES;
    const room = Math.min(maxDatagramBytes, MAX_MEDIA_DATAGRAM_BYTES) - overhead;
    const count = Math.max(1, Math.ceil(unit.bytes.length / room));
    if (count > MAX_FRAGMENTS || unit.bytes.length > MAX_ACCESS_UNIT_BYTES || room < 1) {
      throw new AccessUnitTooLargeError(
        `an access unit of ${unit.bytes.length} bytes is over the limit of ${MAX_ACCESS_UNIT_BYTES}; lower the bitrate or the picture size`,
      );
    }
    const least = unit.keyframe ? 0 : 1;
    const most = unit.keyframe ? 0 : MAX_REFERENCE_DISTANCE;
    if (unit.reference < least || unit.reference > most)
      throw new RangeError(`reference must be ${least} to ${most}, not ${unit.reference}`);
    const size = Math.ceil(unit.bytes.length / count);
    const header = this.#header;
    header.trackId = this.#trackId;
    header.frameId = unit.frameId;
    header.captureTimeUs = unit.captureTimeUs;
    header.fragmentCount = count;
    header.temporalLayer = unit.temporalLayer;
    header.reference = unit.reference;
    header.rendition = unit.rendition;
    header.audioLevel = unit.audioLevel;
    const flags =
      (unit.keyframe ? FLAG_KEYFRAME : 0) |
      (unit.discardable ? FLAG_DISCARDABLE : 0) |
      (redundant ? FLAG_REDUNDANCY : 0) |
      (unit.encrypted ? FLAG_ENCRYPTED : 0) |
      (unit.voice ? FLAG_VOICE : 0);
    const blocks = this.#blocks;
    blocks.begin(count, unit.temporalLayer, unit.captureTimeUs);
    for (let index = 0; index < count; index++) {
      blocks.place();
      header.fragmentIndex = index;
      header.block = blocks.block;
      header.symbolIndex = blocks.symbol;
      header.flags = flags | (blocks.isEnd ? FLAG_BLOCK_END : 0);
      writeMediaHeader(this.#buffer, HOP_HEADER_BYTES, header);
      const part = unit.bytes.subarray(index * size, Math.min((index + 1) * size, unit.bytes.length));
      this.#buffer.set(part, overhead);
      emit(this.#buffer.subarray(0, overhead + part.length));
    }
  }
}
