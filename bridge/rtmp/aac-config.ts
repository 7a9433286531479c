/** AAC's AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1), read and made, and the ADTS header (1.A.2) that decoders of loose frames want. */
import { RtmpError } from "./rtmp-error.ts";

export interface AacConfig {
  /** Audio object type of the core: 2 = LC. */
  objectType: number;
  /** Of the core; twice that comes out where SBR is signalled and decoded. */
  sampleRateHz: number;
  /** 1..8; 0 = laid out in the bitstream. */
  channels: number;
  /** Samples a frame of the core: 1024, seldom 960. */
  frameSamples: number;
  /** SBR (HE-AAC) is signalled here; it may be in the bitstream without that. */
  sbr: boolean;
}

const RATES_HZ = [
  96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350,
];
const CHANNELS = [0, 1, 2, 3, 4, 5, 6, 8];
const TYPE_SBR = 5;
const TYPE_PS = 29;
const TYPE_ESCAPE = 31;
/** Main, LC, SSR, LTP: what ADTS can name. */
const MAX_ADTS_TYPE = 4;
const ADTS_HEADER_BYTES = 7;
const MAX_ADTS_BYTES = 0x1fff;

/** Throws RtmpError. */
export function readAacConfig(bytes: Uint8Array): AacConfig {
  const bits = new Bits(bytes);
  let objectType = bits.objectType();
  const sampleRateHz = bits.sampleRate();
  const layout = bits.take(4);
  const channels = CHANNELS[layout];
  if (channels === undefined) {
    throw new RtmpError("unsupported", `AAC channel layout ${layout} is not taken: send mono or stereo.`);
  }
  const sbr = objectType === TYPE_SBR || objectType === TYPE_PS;
  if (sbr) {
    bits.sampleRate();
    objectType = bits.objectType();
  }
  if (objectType < 1 || objectType > MAX_ADTS_TYPE) {
    throw new RtmpError("unsupported", `AAC object type ${objectType} is not taken: send AAC-LC.`);
  }
  return { objectType, sampleRateHz, channels, frameSamples: bits.take(1) === 1 ? 960 : 1024, sbr };
}

/** AudioSpecificConfig of AAC-LC. `sampleRateHz` is one of the 13 standard ones. */
export function makeAacConfig(sampleRateHz: number, channels: number): Uint8Array {
  const rate = RATES_HZ.indexOf(sampleRateHz);
  const layout = channels > 0 ? CHANNELS.indexOf(channels) : -1;
  if (rate < 0 || layout < 0) throw new RangeError(`no AAC of ${sampleRateHz} Hz with ${channels} channels`);
  const objectType = 2;
  return Uint8Array.of((objectType << 3) | (rate >> 1), ((rate & 1) << 7) | (layout << 3));
}

/** One raw frame as an ADTS frame; undefined where ADTS cannot say it (odd sampling rate, frame over 8 KiB). */
export function adtsFrame(config: AacConfig, frame: Uint8Array): Uint8Array | undefined {
  const rate = RATES_HZ.indexOf(config.sampleRateHz);
  const length = ADTS_HEADER_BYTES + frame.length;
  if (rate < 0 || length > MAX_ADTS_BYTES) return undefined;
  const layout = CHANNELS.indexOf(config.channels);
  const out = new Uint8Array(length);
  out[0] = 0xff;
  // MPEG-4, no checksum.
  out[1] = 0xf1;
  out[2] = ((config.objectType - 1) << 6) | (rate << 2) | (layout >> 2);
  out[3] = ((layout & 3) << 6) | (length >> 11);
  out[4] = length >> 3;
  out[5] = ((length & 7) << 5) | 0x1f;
  out[6] = 0xfc;
  out.set(frame, ADTS_HEADER_BYTES);
  return out;
}

class Bits {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  take(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i++) {
      const byte = this.#bytes[this.#at >> 3];
      if (byte === undefined) throw new RtmpError("malformed", "The AudioSpecificConfig is cut off.");
      value = value * 2 + ((byte >> (7 - (this.#at & 7))) & 1);
      this.#at++;
    }
    return value;
  }

  objectType(): number {
    const type = this.take(5);
    return type === TYPE_ESCAPE ? 32 + this.take(6) : type;
  }

  sampleRate(): number {
    const index = this.take(4);
    const rate = index === 15 ? this.take(24) : RATES_HZ[index];
    if (rate === undefined || rate === 0) {
      throw new RtmpError("malformed", "The AudioSpecificConfig names no sampling rate.");
    }
    return rate;
  }
}
