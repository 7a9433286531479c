/** One publication of a connection, from its grant to its end: media goes to the sink, the end is told once. */
import type { RtmpMessage } from "./chunk-reader.ts";
import type { IngestAnswer, IngestControl, IngestEnd, IngestSink, IngestStats } from "./ingest-sink.ts";
import { MediaReader } from "./media-reader.ts";
import type { Holder, Publications } from "./publications.ts";

export type IngestGrant = Extract<IngestAnswer, { granted: true }>;

export class Publication implements Holder {
  readonly remoteAddress: string;
  /** Message stream that its media comes on. */
  readonly streamId: number;
  readonly name: string;
  readonly #publications: Publications;
  readonly #onEnd: (end: IngestEnd) => void;
  readonly #media: MediaReader;
  #sink: IngestSink | undefined;
  #over = false;

  /** `onEnd` hears of its end before the sink does. */
  constructor(
    from: { remoteAddress: string; streamId: number },
    grant: IngestGrant,
    publications: Publications,
    onEnd: (end: IngestEnd) => void,
  ) {
    this.remoteAddress = from.remoteAddress;
    this.streamId = from.streamId;
    this.name = grant.publication;
    this.#publications = publications;
    this.#onEnd = onEnd;
    this.#media = new MediaReader(grant.videoCodecs ?? []);
  }

  get stats(): Readonly<IngestStats> {
    return this.#media.stats;
  }

  get over(): boolean {
    return this.#over;
  }

  /** Takes the key. Returns why not, as a sentence; throws what `open` throws. */
  begin(grant: IngestGrant): string | undefined {
    const refusal = this.#publications.claim(this.name, this, this.remoteAddress);
    if (refusal !== undefined) return refusal;
    const control: IngestControl = {
      remoteAddress: this.remoteAddress,
      stats: this.stats,
      end: (message) => this.end({ code: "ended-here", message }),
    };
    try {
      this.#sink = grant.open(control);
    } catch (error) {
      this.#publications.release(this.name, this);
      throw error;
    }
    return undefined;
  }

  /** Throws PublicationError where it is to end. */
  push(message: RtmpMessage): void {
    if (this.#sink !== undefined && !this.#over) this.#media.push(message, this.#sink);
  }

  takenOver(by: string): void {
    this.end({ code: "taken-over", message: `${by} publishes with the same stream key now.` });
  }

  /** A second call does nothing. */
  end(end: IngestEnd): void {
    if (this.#over) return;
    this.#over = true;
    this.#publications.release(this.name, this);
    this.#onEnd(end);
    this.#sink?.onEnd(end);
  }
}
