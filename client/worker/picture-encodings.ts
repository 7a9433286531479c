/** Which picture codecs this browser decodes and encodes, and how: asked of WebCodecs once each. */
import { codecOrder, PICTURE_CODECS, type PictureCodec } from "../../core/media/picture-codecs.ts";

/** Temporal layers (WebCodecs `scalabilityMode`): the most of those that we use. */
const LAYER_MODES = { L1T3: 3, L1T2: 2 } as const;
export type LayerMode = keyof typeof LAYER_MODES;

/** How pictures are encoded. */
export interface PictureEncoding {
  codec: PictureCodec;
  /** Undefined = the encoder offers no layers. */
  layerMode: LayerMode | undefined;
}

/** A level of each codec, as its WebCodecs string says it, and the largest picture in pixels that it is for. */
const LEVELS: Readonly<Record<PictureCodec, readonly (readonly [pixels: number, codec: string])[]>> = {
  // Constrained baseline, which every H.264 decoder knows; 256 pixels a macroblock.
  h264: [
    [3_600 * 256, "avc1.42E01F"],
    [8_192 * 256, "avc1.42E028"],
    [Number.POSITIVE_INFINITY, "avc1.42E033"],
  ],
  vp8: [[Number.POSITIVE_INFINITY, "vp8"]],
  vp9: [
    [983_040, "vp09.00.31.08"],
    [2_228_224, "vp09.00.40.08"],
    [Number.POSITIVE_INFINITY, "vp09.00.51.08"],
  ],
  av1: [
    [665_856, "av01.0.04M.08"],
    [2_359_296, "av01.0.08M.08"],
    [Number.POSITIVE_INFINITY, "av01.0.12M.08"],
  ],
};
const TYPICAL = { width: 640, height: 360 };
const MACROBLOCK = 16;

/** Layers that a mode makes; 1 without one. */
export function layersOf(mode: LayerMode | undefined): number {
  return mode === undefined ? 1 : LAYER_MODES[mode];
}

/** What VideoEncoder and a track's offer call it. */
export function codecString(codec: PictureCodec, width: number, height: number): string {
  const pixels = wholeBlocks(width) * wholeBlocks(height);
  const levels = LEVELS[codec];
  return (levels.find(([most]) => pixels <= most) ?? levels[0])?.[1] ?? codec;
}

function wholeBlocks(side: number): number {
  return Math.ceil(side / MACROBLOCK) * MACROBLOCK;
}

const decoded = new Map<string, Promise<boolean>>();

/** Never rejects. */
export function canDecode(codec: string): Promise<boolean> {
  const known = decoded.get(codec) ?? askDecoder(codec);
  decoded.set(codec, known);
  return known;
}

async function askDecoder(codec: string): Promise<boolean> {
  if (typeof VideoDecoder === "undefined") return false;
  const answer = await VideoDecoder.isConfigSupported({ codec }).catch(() => undefined);
  return answer?.supported === true;
}

/** Of the codecs that have a name; never rejects. */
export async function decodableCodecs(): Promise<PictureCodec[]> {
  const { width, height } = TYPICAL;
  const answers = await Promise.all(
    PICTURE_CODECS.map((codec) => canDecode(codecString(codec, width, height))),
  );
  return PICTURE_CODECS.filter((_, at) => answers[at]);
}

/** The first codec of the order that this browser encodes; undefined = it encodes none. Never rejects. */
export async function chooseEncoding(
  wished: readonly PictureCodec[],
  decodable: readonly string[],
  { width, height }: { width: number; height: number },
): Promise<PictureEncoding | undefined> {
  if (typeof VideoEncoder === "undefined") return undefined;
  for (const codec of codecOrder(wished, decodable)) {
    const encoding = await findEncoding(codec, codecString(codec, width, height));
    if (encoding !== undefined) return encoding;
  }
  return undefined;
}

const encodings = new Map<string, Promise<PictureEncoding | undefined>>();

function findEncoding(codec: PictureCodec, string: string): Promise<PictureEncoding | undefined> {
  const known = encodings.get(string) ?? askEncoder(codec, string);
  encodings.set(string, known);
  return known;
}

async function askEncoder(codec: PictureCodec, string: string): Promise<PictureEncoding | undefined> {
  const config = {
    codec: string,
    ...TYPICAL,
    bitrate: 1_000_000,
    framerate: 30,
    latencyMode: "realtime",
  } as const;
  const ask = (further: Partial<VideoEncoderConfig>) =>
    VideoEncoder.isConfigSupported({ ...config, ...further }).catch(() => undefined);
  for (const layerMode of Object.keys(LAYER_MODES) as LayerMode[]) {
    const answer = await ask({ scalabilityMode: layerMode });
    // A browser that does not know the option leaves it out of what it says it supports.
    if (answer?.supported === true && answer.config?.scalabilityMode === layerMode)
      return { codec, layerMode };
  }
  return (await ask({}))?.supported === true ? { codec, layerMode: undefined } : undefined;
}
