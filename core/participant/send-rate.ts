/**
 * What the link may carry as what each video encoder of this participant may make: sound comes first, and repair takes its part.
 * No encoder makes more than any subscriber's network carries. Says only what is news.
 */

/** Looked at this often. */
const INTERVAL_US = 250_000;
/** Smaller changes are no news, larger ones of an encoder cost quality. */
const NEWS_SHARE = 0.04;
/** Weight of a new measurement of sound and repair. */
const SMOOTHING = 1 / 4;
/** Headers, feedback and what encoders make too much. */
const RESERVE = 0.05;
const MIN_VIDEO_BPS = 30_000;

/** One rendition of a video track, with its encoder: one object for as long as the track is published. */
export interface EncodedRendition {
  readonly trackId: number;
  readonly rendition: number;
  /** What it would like to have, bits a second. */
  readonly fullBps: number;
  /** What subscribers' networks carry of it, as the relay says; undefined = no limit is known. */
  readonly limitBps: number | undefined;
  /** Sent so far. */
  readonly bytes: number;
}

/** A published track. */
export interface SendingTrack {
  /** Of sound, sent so far. */
  readonly audioBytes: number;
  /** Of pictures. */
  readonly encoded: readonly EncodedRendition[];
}

/** What is said to the owner of the encoders. */
export type Tell = (news: {
  type: "encoder-rate";
  trackId: number;
  rendition: number;
  bitrateBps: number;
}) => void;

/** Bytes sent so far, datagram headers included. */
interface SentBytes {
  audio: number;
  video: number;
  repair: number;
  atUs: number;
}

interface Told {
  bytes: number;
  /** Undefined = nothing yet: the encoder makes what it likes. */
  bps: number | undefined;
}

export class SendRate {
  #audioBps = 0;
  #repairShare = 0;
  #last: SentBytes | undefined;
  readonly #tracks: () => Iterable<SendingTrack>;
  readonly #told = new WeakMap<EncodedRendition, Told>();

  constructor(tracks: () => Iterable<SendingTrack>) {
    this.#tracks = tracks;
  }

  /** What pictures may use of a rate, repair left to what `update` gives encoders. */
  besideSound(rateBps: number | undefined): number | undefined {
    return rateBps === undefined ? undefined : Math.max(MIN_VIDEO_BPS, rateBps - this.#audioBps);
  }

  /**
   * Calls `tell` with what an encoder may make, bits a second, where that is news.
   * @param rateBps of the link; undefined while no limit is known
   * @param repair bytes sent so far
   */
  update(rateBps: number | undefined, repair: number, nowUs: number, tell: Tell): void {
    const last = this.#last;
    if (last !== undefined && nowUs - last.atUs < INTERVAL_US) return;
    const tracks = [...this.#tracks()];
    const encoded = tracks.flatMap((track) => track.encoded);
    const audio = tracks.reduce((sum, { audioBytes }) => sum + audioBytes, 0);
    const video = encoded.reduce((sum, { bytes }) => sum + bytes, 0);
    this.#last = { audio, video, repair, atUs: nowUs };
    const active = encoded.filter((encoder) => this.#isActive(encoder));
    if (last === undefined) return;
    const seconds = (nowUs - last.atUs) / 1_000_000;
    // Tracks that end take their bytes with them.
    const audioBps = (Math.max(0, audio - last.audio) * 8) / seconds;
    const media = Math.max(1, audio - last.audio + Math.max(0, video - last.video));
    const share = Math.min(1, Math.max(0, repair - last.repair) / media);
    this.#audioBps += (audioBps - this.#audioBps) * SMOOTHING;
    this.#repairShare += (share - this.#repairShare) * SMOOTHING;
    const forVideoBps =
      rateBps === undefined
        ? Number.POSITIVE_INFINITY
        : (rateBps * (1 - RESERVE)) / (1 + this.#repairShare) - this.#audioBps;
    this.#share(active, forVideoBps, tell);
  }

  /** Whether it has sent anything since last time: what is muted or unwanted needs no share. */
  #isActive(encoder: EncodedRendition): boolean {
    const told = this.#told.get(encoder) ?? { bytes: 0, bps: undefined };
    this.#told.set(encoder, told);
    const isActive = encoder.bytes > told.bytes;
    told.bytes = encoder.bytes;
    return isActive;
  }

  /** In proportion to what each would like; what one may not use is for the others. */
  #share(encoders: readonly EncodedRendition[], forVideoBps: number, tell: Tell): void {
    const most = ({ fullBps, limitBps }: EncodedRendition): number => Math.min(fullBps, limitBps ?? fullBps);
    const needs = (encoder: EncodedRendition): number => most(encoder) / encoder.fullBps;
    let leftBps = forVideoBps;
    let leftFullBps = encoders.reduce((sum, { fullBps }) => sum + fullBps, 0);
    for (const encoder of [...encoders].sort((a, b) => needs(a) - needs(b))) {
      const bps = Math.min(most(encoder), (leftBps * encoder.fullBps) / leftFullBps);
      leftBps -= bps;
      leftFullBps -= encoder.fullBps;
      this.#tell(encoder, Math.round(Math.max(MIN_VIDEO_BPS, bps)), tell);
    }
  }

  #tell(encoder: EncodedRendition, bps: number, tell: Tell): void {
    const told = this.#told.get(encoder)!;
    const before = told.bps ?? encoder.fullBps;
    const isFullAgain = bps >= encoder.fullBps && before < encoder.fullBps;
    if (!isFullAgain && Math.abs(bps - before) < before * NEWS_SHARE) return;
    told.bps = bps;
    tell({ type: "encoder-rate", trackId: encoder.trackId, rendition: encoder.rendition, bitrateBps: bps });
  }
}
