/** Which decoder the Content-Type of a source asks for. */
import type { ForeignFormat } from "../sound/sound-decoder.ts";
import { IcecastError } from "./icecast-error.ts";

const FORMATS: Readonly<Record<string, ForeignFormat>> = {
  "audio/mpeg": "mp3",
  "audio/mp3": "mp3",
  "audio/aac": "aac-adts",
  "audio/aacp": "aac-adts",
  "audio/x-aac": "aac-adts",
  "audio/ogg": "ogg",
  "application/ogg": "ogg",
  "application/x-ogg": "ogg",
};

/** Without a Content-Type it is MP3, as for icecast. @throws IcecastError 415 */
export function sourceFormat(contentType: string | undefined): ForeignFormat {
  const type = (contentType ?? "audio/mpeg").split(";")[0]!.trim().toLowerCase();
  if (Object.hasOwn(FORMATS, type)) return FORMATS[type]!;
  throw new IcecastError(
    415,
    "Send audio/mpeg (MP3), audio/aac (ADTS) or audio/ogg (Opus, Vorbis), and say so as Content-Type.",
  );
}
