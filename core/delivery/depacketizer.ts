/**
 * Puts media datagrams of one track rendition together into access units. Bounded: at most
 * MAX_PARTIAL_ACCESS_UNITS are open; a unit that ends up incomplete is counted, by reason. Units come out when
 * complete, in arrival order; ordering in time is the jitter buffer's.
 */
import {
  emptyMediaHeader,
  FLAG_DISCARDABLE,
  FLAG_ENCRYPTED,
  FLAG_KEYFRAME,
  FLAG_REDUNDANCY,
  FLAG_VOICE,
  HOP_HEADER_BYTES,
  MEDIA_HEADER_BYTES,
  readMediaHeader,
} from "../wire/datagram.ts";
import { MAX_ACCESS_UNIT_BYTES, MAX_FRAGMENTS, MAX_PARTIAL_ACCESS_UNITS } from "../wire/limits.ts";
import { readRedundantPayload } from "../wire/redundancy.ts";
import type { AccessUnit } from "./access-unit.ts";

export type DepacketizerDrop = "duplicate" | "inconsistent" | "too-large" | "abandoned" | "late";

interface Partial {
  header: ReturnType<typeof emptyMediaHeader>;
  fragments: (Uint8Array | undefined)[];
  missing: number;
  bytes: number;
}

/** Completed frame ids that are remembered to recognise late duplicates. */
const REMEMBERED = 256;

export class Depacketizer {
  readonly #partials = new Map<number, Partial>();
  readonly #header = emptyMediaHeader();
  readonly #done = new Float64Array(REMEMBERED).fill(-1);
  readonly #dropped: Record<DepacketizerDrop, number> = {
    duplicate: 0,
    inconsistent: 0,
    "too-large": 0,
    abandoned: 0,
    late: 0,
  };
  #newest: number | undefined;

  get dropped(): Readonly<Record<DepacketizerDrop, number>> {
    return this.#dropped;
  }

  /** Takes one media datagram (hop header included, checked by `datagramFault`); emits what it completes. */
  push(datagram: Uint8Array, emit: (unit: AccessUnit) => void): void {
    const header = this.#header;
    readMediaHeader(datagram, HOP_HEADER_BYTES, header);
    const payload = datagram.subarray(HOP_HEADER_BYTES + MEDIA_HEADER_BYTES);
    if (header.fragmentCount > MAX_FRAGMENTS) return this.#drop("too-large");
    if (this.#done[header.frameId % REMEMBERED] === header.frameId) return this.#drop("duplicate");
    const ahead = this.#newest === undefined ? 1 : (header.frameId - this.#newest) | 0;
    if (ahead <= -REMEMBERED) return this.#drop("late");
    if (ahead > 0) this.#newest = header.frameId;
    if (header.fragmentCount === 1) {
      this.#complete(header, payload.slice(), emit);
      return;
    }
    const partial = this.#partials.get(header.frameId) ?? this.#open(header);
    if (
      partial.fragments.length !== header.fragmentCount ||
      partial.header.captureTimeUs !== header.captureTimeUs
    ) {
      return this.#drop("inconsistent");
    }
    if (partial.fragments[header.fragmentIndex] !== undefined) return this.#drop("duplicate");
    partial.fragments[header.fragmentIndex] = payload.slice();
    partial.bytes += payload.length;
    if (partial.bytes > MAX_ACCESS_UNIT_BYTES) {
      this.#partials.delete(header.frameId);
      return this.#drop("too-large");
    }
    if (--partial.missing > 0) return;
    this.#partials.delete(header.frameId);
    this.#complete(partial.header, join(partial), emit);
  }

  #open(header: ReturnType<typeof emptyMediaHeader>): Partial {
    if (this.#partials.size >= MAX_PARTIAL_ACCESS_UNITS) {
      const oldest = this.#partials.keys().next().value;
      if (oldest !== undefined) this.#partials.delete(oldest);
      this.#dropped.abandoned++;
    }
    const partial: Partial = {
      header: { ...header },
      fragments: new Array(header.fragmentCount).fill(undefined),
      missing: header.fragmentCount,
      bytes: 0,
    };
    this.#partials.set(header.frameId, partial);
    return partial;
  }

  #complete(
    header: ReturnType<typeof emptyMediaHeader>,
    payload: Uint8Array,
    emit: (unit: AccessUnit) => void,
  ): void {
    if ((header.flags & FLAG_REDUNDANCY) === 0) {
      this.#emit(header, header.frameId, header.captureTimeUs, payload, emit);
      return;
    }
    const parts = readRedundantPayload(payload);
    if (parts === undefined) return this.#drop("inconsistent");
    for (const copy of parts.redundant) {
      const frameId = (header.frameId - copy.distance) >>> 0;
      if (this.#done[frameId % REMEMBERED] === frameId) continue;
      this.#emit(header, frameId, header.captureTimeUs - copy.ageUs, copy.bytes, emit, true);
    }
    this.#emit(header, header.frameId, header.captureTimeUs, parts.primary, emit);
  }

  #emit(
    header: ReturnType<typeof emptyMediaHeader>,
    frameId: number,
    captureTimeUs: number,
    bytes: Uint8Array,
    emit: (unit: AccessUnit) => void,
    recovered = false,
  ): void {
    this.#done[frameId % REMEMBERED] = frameId;
    const keyframe = (header.flags & FLAG_KEYFRAME) !== 0;
    emit({
      frameId,
      captureTimeUs,
      keyframe,
      discardable: (header.flags & FLAG_DISCARDABLE) !== 0,
      temporalLayer: header.temporalLayer,
      reference: keyframe ? 0 : header.reference || 1,
      rendition: header.rendition,
      audioLevel: header.audioLevel,
      voice: (header.flags & FLAG_VOICE) !== 0,
      encrypted: (header.flags & FLAG_ENCRYPTED) !== 0,
      bytes,
      ...(recovered ? { recovered } : {}),
    });
  }

  #drop(reason: DepacketizerDrop): void {
    this.#dropped[reason]++;
  }
}

function join(partial: Partial): Uint8Array {
  const bytes = new Uint8Array(partial.bytes);
  let offset = 0;
  for (const fragment of partial.fragments) {
    bytes.set(fragment!, offset);
    offset += fragment!.length;
  }
  return bytes;
}
