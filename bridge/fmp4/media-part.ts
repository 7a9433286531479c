/**
 * A programme as fragmented MP4 (CMAF, ISO/IEC 23000-19): what LL-HLS and recordings are made of. One writer a programme, shared.
 */

/** What comes before parts: `ftyp` and `moov`. Another one comes when the picture's format changes, or a picture comes or goes. */
export interface InitSegment {
  /** Counts from 0. */
  index: number;
  bytes: Uint8Array;
  /** As in RFC 6381: avc1.42E01F,mp4a.40.2 */
  codecs: string;
  /** Of the picture; undefined = sound only. */
  resolution: { width: number; height: number } | undefined;
}

/** One `moof` + `mdat` pair with some 200 ms of sound and picture. */
export interface MediaPart {
  bytes: Uint8Array;
  /** Index of the init segment that it needs. */
  init: number;
  /** Capture time of its first sample on the room clock, microseconds since the Unix epoch. */
  startUs: number;
  durationUs: number;
  /** Begins with a keyframe, or holds sound alone: a player can start here. */
  independent: boolean;
  /** Begins a segment: always independent; some 2 s after the one before. */
  segmentStart: boolean;
  /** Known to be the last of its segment: the next part begins another one. */
  segmentEnd?: boolean;
  /** A public sink (MediaPartSink) gets it too: everybody may see it. */
  shown?: boolean;
}

export interface MediaPartSink {
  /** What it gets is shown to everybody, as HLS is. */
  readonly isPublic?: boolean;
  onInit(init: InitSegment): void;
  onPart(part: MediaPart): void;
  /** Nothing comes after it. */
  onEnd?(): void;
}
