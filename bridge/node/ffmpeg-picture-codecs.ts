/** Decoders and encoders of pictures by ffmpeg subprocesses. */
import type { PictureCodecs } from "../grid/picture-codec.ts";
import { openFfmpegPictureDecoder } from "./ffmpeg-picture-decoder.ts";
import { openFfmpegPictureEncoder } from "./ffmpeg-picture-encoder.ts";

/** `program`: name or path of ffmpeg. */
export function ffmpegPictureCodecs(program = "ffmpeg"): PictureCodecs {
  return {
    openDecoder: (options) => openFfmpegPictureDecoder(options, program),
    openEncoder: (options) => openFfmpegPictureEncoder(options, program),
  };
}
