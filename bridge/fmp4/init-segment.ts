/** Init segments: `ftyp` and `moov` of a fragmented file with sound, and a picture where there is one (ISO/IEC 14496-12 sections in brackets). */
import { BoxWriter } from "./box-writer.ts";
import type { PictureFormat } from "./picture-format.ts";

/** Ticks a second of pictures: times are exact to the microsecond. */
export const PICTURE_TIMESCALE = 1_000_000;
export const SOUND_TIMESCALE = 48_000;
export const SOUND_TRACK = 1;
export const PICTURE_TRACK = 2;

export type SoundFormat =
  | { codec: "mp4a.40.2" /** AudioSpecificConfig. */; config: Uint8Array; bitrateBps: number }
  | { codec: "opus" /** OpusHead (RFC 7845, 5.1). */; config: Uint8Array; bitrateBps: number };

export function initSegment(sound: SoundFormat, picture: PictureFormat | undefined): Uint8Array {
  const w = new BoxWriter(2048);
  // [4.3] CMAF tracks ask for cmfc; several in one file are no CMAF track file, hence iso6 alone as major brand.
  w.box("ftyp", () => {
    w.ascii("iso6");
    w.u32(1);
    for (const brand of ["iso6", "cmfc", "mp41"]) w.ascii(brand);
    if (picture !== undefined) w.ascii("avc1");
  });
  w.box("moov", () => {
    movieHeader(w);
    track(w, SOUND_TRACK, undefined, () => soundMedia(w, sound));
    if (picture !== undefined) track(w, PICTURE_TRACK, picture, () => pictureMedia(w, picture));
    // [8.8.1] [8.8.3] Defaults of fragments; they say everything themselves.
    w.box("mvex", () => {
      for (const id of picture === undefined ? [SOUND_TRACK] : [SOUND_TRACK, PICTURE_TRACK]) {
        w.fullBox("trex", 0, 0, () => {
          w.u32(id);
          w.u32(1);
          w.zeros(12);
        });
      }
    });
  });
  return w.finish();
}

/** [8.2.2] */
function movieHeader(w: BoxWriter): void {
  w.fullBox("mvhd", 0, 0, () => {
    w.zeros(8);
    w.u32(1000);
    w.u32(0);
    w.u32(0x00010000);
    w.u16(0x0100);
    w.zeros(10);
    unityMatrix(w);
    w.zeros(24);
    w.u32(PICTURE_TRACK + 1);
  });
}

function unityMatrix(w: BoxWriter): void {
  for (const value of [0x00010000, 0, 0, 0, 0x00010000, 0, 0, 0, 0x40000000]) w.u32(value);
}

/** [8.3.1] [8.3.2] */
function track(w: BoxWriter, id: number, picture: PictureFormat | undefined, media: () => void): void {
  w.box("trak", () => {
    // Enabled, in the movie.
    w.fullBox("tkhd", 0, 3, () => {
      w.zeros(8);
      w.u32(id);
      w.zeros(4 + 4 + 8 + 2 + 2);
      w.u16(picture === undefined ? 0x0100 : 0);
      w.u16(0);
      unityMatrix(w);
      w.u32((picture?.width ?? 0) * 65536);
      w.u32((picture?.height ?? 0) * 65536);
    });
    w.box("mdia", media);
  });
}

/** [8.4.2] [8.4.3], then `minf` with what `description` writes into `stsd` [8.5.2]. */
function media(
  w: BoxWriter,
  timescale: number,
  handler: string,
  header: () => void,
  description: () => void,
): void {
  w.fullBox("mdhd", 0, 0, () => {
    w.zeros(8);
    w.u32(timescale);
    w.u32(0);
    // "und"
    w.u16(0x55c4);
    w.u16(0);
  });
  w.fullBox("hdlr", 0, 0, () => {
    w.u32(0);
    w.ascii(handler);
    w.zeros(13);
  });
  w.box("minf", () => {
    header();
    // [8.7.1] [8.7.2] The samples are in the same file.
    w.box("dinf", () =>
      w.fullBox("dref", 0, 0, () => {
        w.u32(1);
        w.fullBox("url ", 0, 1, () => undefined);
      }),
    );
    w.box("stbl", () => {
      w.fullBox("stsd", 0, 0, () => {
        w.u32(1);
        description();
      });
      for (const table of ["stts", "stsc", "stco"]) w.fullBox(table, 0, 0, () => w.u32(0));
      w.fullBox("stsz", 0, 0, () => w.zeros(8));
    });
  });
}

/** [12.2.3] */
function soundMedia(w: BoxWriter, sound: SoundFormat): void {
  const describe = (): void =>
    w.box(sound.codec === "opus" ? "Opus" : "mp4a", () => {
      w.zeros(6);
      w.u16(1);
      w.zeros(8);
      w.u16(2);
      w.u16(16);
      w.zeros(4);
      w.u32(SOUND_TIMESCALE * 65536);
      if (sound.codec === "opus") opusConfiguration(w, sound.config);
      else aacConfiguration(w, sound);
    });
  media(w, SOUND_TIMESCALE, "soun", () => w.fullBox("smhd", 0, 0, () => w.zeros(4)), describe);
}

/** ES_Descriptor in `esds` (ISO/IEC 14496-14, 5.6; ISO/IEC 14496-1, 7.2.6.5). */
function aacConfiguration(w: BoxWriter, sound: SoundFormat): void {
  const config = sound.config.length;
  w.fullBox("esds", 0, 0, () => {
    w.u8(0x03);
    w.u8(3 + 2 + 13 + 2 + config + 3);
    w.u16(0);
    w.u8(0);
    w.u8(0x04);
    w.u8(13 + 2 + config);
    // MPEG-4 audio, audio stream.
    w.u8(0x40);
    w.u8(0x15);
    w.zeros(3);
    w.u32(sound.bitrateBps * 2);
    w.u32(sound.bitrateBps);
    w.u8(0x05);
    w.u8(config);
    w.bytes(sound.config);
    w.u8(0x06);
    w.u8(1);
    w.u8(0x02);
  });
}

/** `dOps` ("Encapsulation of Opus in ISO Base Media File Format", 4.3.2): OpusHead in big endian, version 0, without its magic. */
function opusConfiguration(w: BoxWriter, head: Uint8Array): void {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  w.box("dOps", () => {
    w.u8(0);
    w.u8(view.getUint8(9));
    w.u16(view.getUint16(10, true));
    w.u32(view.getUint32(12, true));
    w.u16(view.getUint16(16, true));
    w.u8(view.getUint8(18));
  });
}

/** [12.1.3]; `avcC` as in ISO/IEC 14496-15, 5.3.3.1. */
function pictureMedia(w: BoxWriter, picture: PictureFormat): void {
  const describe = (): void =>
    w.box("avc1", () => {
      w.zeros(6);
      w.u16(1);
      w.zeros(16);
      w.u16(picture.width);
      w.u16(picture.height);
      w.u32(0x00480000);
      w.u32(0x00480000);
      w.u32(0);
      w.u16(1);
      w.zeros(32);
      w.u16(0x0018);
      w.u16(0xffff);
      w.box("avcC", () => decoderConfiguration(w, picture));
    });
  media(w, PICTURE_TIMESCALE, "vide", () => w.fullBox("vmhd", 0, 1, () => w.zeros(8)), describe);
}

function decoderConfiguration(w: BoxWriter, picture: PictureFormat): void {
  const { sps, pps } = picture;
  w.u8(1);
  w.bytes(sps.subarray(1, 4));
  // Lengths of four bytes; one SPS.
  w.u8(0xff);
  w.u8(0xe1);
  w.u16(sps.length);
  w.bytes(sps);
  w.u8(1);
  w.u16(pps.length);
  w.bytes(pps);
  if (![100, 110, 122, 144].includes(sps[1]!)) return;
  w.u8(0xfc | picture.chroma);
  w.u8(0xf8 | picture.lumaDepth);
  w.u8(0xf8 | picture.chromaDepth);
  w.u8(0);
}
