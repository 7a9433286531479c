/** Picture codecs by name: which one a WebCodecs string means, how a person calls it, and in which order a publisher tries them. */

export const PICTURE_CODECS = ["h264", "vp8", "vp9", "av1"] as const;
export type PictureCodec = (typeof PICTURE_CODECS)[number];

const SPOKEN: Readonly<Record<PictureCodec, string>> = { h264: "H.264", vp8: "VP8", vp9: "VP9", av1: "AV1" };

/** Undefined for a codec that has no name here. */
export function codecOf(codecString: string): PictureCodec | undefined {
  if (/^avc[13]\b/.test(codecString)) return "h264";
  if (/^vp8\b/.test(codecString)) return "vp8";
  if (/^vp0?9\b/.test(codecString)) return "vp9";
  return /^av01\b/.test(codecString) ? "av1" : undefined;
}

/** As people say it; what has no name here as it is written. */
export function spokenCodec(codecString: string): string {
  const codec = codecOf(codecString);
  return codec === undefined ? codecString : SPOKEN[codec];
}

/**
 * All codecs in the order in which a publisher tries them: what everybody can decode first, and in both groups first what the
 * application wishes, then H.264, VP8, VP9, AV1.
 */
export function codecOrder(wished: readonly PictureCodec[], decodable: readonly string[]): PictureCodec[] {
  const preferred = [...new Set([...wished, ...PICTURE_CODECS])];
  const isDecodable = (codec: PictureCodec): boolean => decodable.includes(codec);
  return [...preferred.filter(isDecodable), ...preferred.filter((codec) => !isDecodable(codec))];
}
