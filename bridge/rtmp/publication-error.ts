/** Why a publication cannot go on although RTMP itself is well: told to the sender as a status, to the sink as its end. */
import type { IngestEndCode } from "./ingest-sink.ts";

export class PublicationError extends Error {
  override readonly name = "PublicationError";
  readonly code: IngestEndCode;
  constructor(code: IngestEndCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
