/** MPEG transport stream (ISO/IEC 13818-1; sections in brackets): tables and PES data in pieces of 188 bytes. */

const UNIT_BYTES = 188;
/** Without the header. */
const ROOM = UNIT_BYTES - 4;
/** Values of a continuity counter; a segment has its tables as often. */
export const COUNTER_VALUES = 16;
const PROGRAM_PID = 0x1000;
export const PICTURE_PID = 0x100;
export const SOUND_PID = 0x101;
/** [2.4.4.9] H.264 and AAC in ADTS. */
const STREAM_TYPES: Record<number, number> = { [PICTURE_PID]: 0x1b, [SOUND_PID]: 0x0f };
const STREAM_IDS: Record<number, number> = { [PICTURE_PID]: 0xe0, [SOUND_PID]: 0xc0 };
/** Clock of times in PES headers. */
export const TICKS_PER_SECOND = 90_000;
/** Times have 33 bits. */
const WRAP = 2 ** 33;

export interface PesUnit {
  pid: typeof PICTURE_PID | typeof SOUND_PID;
  /** Ticks of 90 kHz; any size, they wrap. */
  time: number;
  decodeTime: number;
  /** A decoder can begin here. */
  randomAccess: boolean;
  /** Program clock, where it is to be said with this unit. */
  clock: number | undefined;
  /**
   * The last of its stream in this segment: it is spread over so many pieces that the continuity counter [2.4.3.3] begins anew with 0, as the
   * next segment does, whoever makes it. Needs 16 bytes.
   */
  last: boolean;
  payload: readonly Uint8Array[];
}

export class StreamWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;
  readonly #counters = new Map<number, number>();

  constructor(capacity: number) {
    this.#bytes = new Uint8Array(capacity);
  }

  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** [2.4.4.3] [2.4.4.8] One program of the given streams, the first of which has its clock. */
  tables(pids: readonly number[]): void {
    this.#table(0, 0x00, [0, 1, 0xe0 | (PROGRAM_PID >> 8), PROGRAM_PID & 0xff]);
    const clock = pids[0]!;
    const streams = pids.flatMap((pid) => [STREAM_TYPES[pid]!, 0xe0 | (pid >> 8), pid & 0xff, 0xf0, 0]);
    this.#table(PROGRAM_PID, 0x02, [0xe0 | (clock >> 8), clock & 0xff, 0xf0, 0, ...streams]);
  }

  /** [2.4.3.6] */
  unit(unit: PesUnit): void {
    const withDecodeTime = unit.time !== unit.decodeTime;
    const header = [
      0,
      0,
      1,
      STREAM_IDS[unit.pid]!,
      0,
      0,
      0x84,
      withDecodeTime ? 0xc0 : 0x80,
      withDecodeTime ? 10 : 5,
    ];
    pushTime(header, withDecodeTime ? 3 : 2, unit.time);
    if (withDecodeTime) pushTime(header, 1, unit.decodeTime);
    const length = unit.payload.reduce((sum, part) => sum + part.length, header.length - 6);
    // Pictures may leave it open, and have to above 64 KiB.
    if (unit.pid !== PICTURE_PID && length <= 0xffff) {
      header[4] = length >> 8;
      header[5] = length & 0xff;
    }
    const all = new Uint8Array(length + 6);
    all.set(header);
    let at = header.length;
    for (const part of unit.payload) {
      all.set(part, at);
      at += part.length;
    }
    this.#payload(unit.pid, all, unit);
  }

  #payload(pid: number, bytes: Uint8Array, about: Pick<PesUnit, "randomAccess" | "clock" | "last">): void {
    const field = adaptationField(about);
    let pieces = Math.ceil((field.length + bytes.length) / ROOM);
    if (about.last) pieces += 15 - (((this.#counters.get(pid) ?? 0) + pieces - 1) & 0x0f);
    for (let at = 0; at < bytes.length; pieces--) {
      const first = at === 0;
      const adaptation = first ? field : [];
      const room = ROOM - adaptation.length;
      const taken = Math.min(room, bytes.length - at - (pieces - 1));
      stuff(adaptation, room - taken);
      const start = this.#open(pid, first, adaptation.length > 0);
      this.#bytes.set(adaptation, start);
      this.#bytes.set(bytes.subarray(at, at + taken), start + adaptation.length);
      at += taken;
    }
  }

  /** A section that fits one piece, filled up with 0xff. */
  #table(pid: number, id: number, content: readonly number[]): void {
    const length = content.length + 9;
    const section = [id, 0xb0 | (length >> 8), length & 0xff, 0, 1, 0xc1, 0, 0, ...content];
    const crc = crc32(section);
    section.push(crc >>> 24, (crc >>> 16) & 0xff, (crc >>> 8) & 0xff, crc & 0xff);
    const start = this.#open(pid, true, false);
    this.#bytes.fill(0xff, start, start + ROOM);
    // pointer_field 0
    this.#bytes.set([0, ...section], start);
  }

  /** Header of a piece [2.4.3.2]; returns where its content begins. */
  #open(pid: number, startsUnit: boolean, hasAdaptation: boolean): number {
    if (this.#length + UNIT_BYTES > this.#bytes.length) {
      const larger = new Uint8Array(this.#bytes.length * 2 + UNIT_BYTES);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    const counter = this.#counters.get(pid) ?? 0;
    this.#counters.set(pid, (counter + 1) & 0x0f);
    const head = [
      0x47,
      (startsUnit ? 0x40 : 0) | (pid >> 8),
      pid & 0xff,
      (hasAdaptation ? 0x30 : 0x10) | counter,
    ];
    this.#bytes.set(head, this.#length);
    const start = this.#length + 4;
    this.#length += UNIT_BYTES;
    return start;
  }
}

/** [2.4.3.4], its length in front. */
function adaptationField({ randomAccess, clock }: Pick<PesUnit, "randomAccess" | "clock">): number[] {
  if (!randomAccess && clock === undefined) return [];
  const field = [1, (randomAccess ? 0x40 : 0) | (clock === undefined ? 0 : 0x10)];
  if (clock !== undefined) {
    const base = wrapped(clock);
    const low = base % 2 ** 32;
    field.push(
      Math.floor(base / 2) >>> 24,
      (Math.floor(base / 2) >>> 16) & 0xff,
      (Math.floor(base / 2) >>> 8) & 0xff,
    );
    field.push(Math.floor(base / 2) & 0xff, ((low & 1) << 7) | 0x7e, 0);
  }
  field[0] = field.length - 1;
  return field;
}

/** Makes an adaptation field longer by `count` bytes that say nothing. */
function stuff(field: number[], count: number): void {
  if (count === 0) return;
  if (field.length === 0) {
    field.push(count - 1);
    if (count > 1) field.push(0);
    for (let i = 2; i < count; i++) field.push(0xff);
    return;
  }
  for (let i = 0; i < count; i++) field.push(0xff);
  field[0] = field.length - 1;
}

/** [2.4.3.7] 33 bits in five bytes with markers. */
function pushTime(out: number[], prefix: number, ticks: number): void {
  const time = wrapped(ticks);
  const high = Math.floor(time / 2 ** 30);
  out.push((prefix << 4) | (high << 1) | 1);
  out.push((time >>> 22) & 0xff, (((time >>> 15) & 0x7f) << 1) | 1);
  out.push((time >>> 7) & 0xff, ((time & 0x7f) << 1) | 1);
}

function wrapped(ticks: number): number {
  const whole = Math.round(ticks) % WRAP;
  return whole < 0 ? whole + WRAP : whole;
}

/** [Annex A] */
function crc32(bytes: readonly number[]): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte << 24;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x80000000 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
  }
  return crc >>> 0;
}
