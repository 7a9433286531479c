/** Header and side information of MPEG audio layer III frames (ISO/IEC 11172-3, 2.4.1; ISO/IEC 13818-3 for half sample rates; MPEG-2.5). */

export interface FrameHeader {
  /** Length of the whole frame, header included. */
  frameBytes: number;
  /** Samples a channel: 1152, or 576 at half and quarter sample rates. */
  samples: number;
  sampleRateHz: number;
  bitrateBps: number;
  channels: 1 | 2;
  /** Where main data begins: behind header, CRC and side information. */
  mainDataOffset: number;
  /** What the frame decodes from begins so many bytes of main data before its own: the bit reservoir. */
  reservoirBytes: number;
}

const HEADER_BYTES = 4;
const CRC_BYTES = 2;
/** kbit/s by index; 0 (free format) and 15 are not taken. */
const FULL_RATE_KBPS = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
const LOW_RATE_KBPS = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
const MPEG1_RATES_HZ = [44_100, 48_000, 32_000];
/** MPEG version bits to what sample rates are divided by; 1 is reserved. */
const RATE_DIVISORS = [4, undefined, 2, 1] as const;
const LAYER_III = 1;
const MONO = 3;

/** Needs the header and the two bytes that the reservoir's size may lie in, behind a CRC: 8 bytes. Undefined: no layer III frame begins here. */
export function readFrameHeader(bytes: Uint8Array, at = 0): FrameHeader | undefined {
  if (at + HEADER_BYTES + CRC_BYTES + 2 > bytes.length) return undefined;
  const b1 = bytes[at + 1]!;
  const b2 = bytes[at + 2]!;
  if (bytes[at] !== 0xff || (b1 & 0xe0) !== 0xe0 || ((b1 >> 1) & 3) !== LAYER_III) return undefined;
  const divisor = RATE_DIVISORS[(b1 >> 3) & 3];
  const fullRate = MPEG1_RATES_HZ[(b2 >> 2) & 3];
  if (divisor === undefined || fullRate === undefined) return undefined;
  const kbps = (divisor === 1 ? FULL_RATE_KBPS : LOW_RATE_KBPS)[b2 >> 4];
  if (kbps === undefined || kbps === 0) return undefined;
  const samples = divisor === 1 ? 1152 : 576;
  const sampleRateHz = fullRate / divisor;
  const mono = bytes[at + 3]! >> 6 === MONO;
  const side = at + HEADER_BYTES + ((b1 & 1) === 0 ? CRC_BYTES : 0);
  return {
    frameBytes: Math.floor((samples * kbps * 125) / sampleRateHz) + ((b2 >> 1) & 1),
    samples,
    sampleRateHz,
    bitrateBps: kbps * 1000,
    channels: mono ? 1 : 2,
    mainDataOffset: side - at + (divisor === 1 ? (mono ? 17 : 32) : mono ? 9 : 17),
    reservoirBytes: divisor === 1 ? (bytes[side]! << 1) | (bytes[side + 1]! >> 7) : bytes[side]!,
  };
}

/** Puts what an encoder puts out, cut anywhere, together into whole frames. */
export class FrameCutter {
  #rest: Uint8Array = new Uint8Array(0);

  /**
   * The frames that are whole now; they share memory with nobody.
   * @throws Error where no frame begins at which one must: the encoder's fault
   */
  push(bytes: Uint8Array): Uint8Array[] {
    const joined = new Uint8Array(this.#rest.length + bytes.length);
    joined.set(this.#rest);
    joined.set(bytes, this.#rest.length);
    const frames: Uint8Array[] = [];
    let at = 0;
    while (joined.length - at >= HEADER_BYTES + CRC_BYTES + 2) {
      const header = readFrameHeader(joined, at);
      if (header === undefined) throw new Error("The MP3 encoder put out what is no MP3 frame.");
      if (at + header.frameBytes > joined.length) break;
      frames.push(joined.slice(at, at + header.frameBytes));
      at += header.frameBytes;
    }
    this.#rest = joined.slice(at);
    return frames;
  }
}
