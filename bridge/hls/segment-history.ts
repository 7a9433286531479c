/** What a live playlist knows of a recording of the same programme: the segments that are no longer in memory, and those of before. */

/** A resource, or a range of one (EXT-X-BYTERANGE, RFC 8216bis, 4.4.4.2). */
export interface Located {
  /** Absolute path or relative to the playlist. */
  uri: string;
  range?: { offset: number; length: number };
}

export interface HistorySegment {
  media: Located;
  init: Located;
  /** Capture time of its first sample, microseconds since the Unix epoch. */
  startUs: number;
  durationUs: number;
  /** It does not go on from the segment before: another init segment, or a gap in time. */
  discontinuity: boolean;
}

export interface SegmentHistory {
  /**
   * All segments that begin before `startUs`, oldest first, without gaps up to the last one; the last one ends where `startUs` is, or the
   * history is not known so far yet and the list is empty. The list must not be changed and may grow.
   */
  segmentsBefore(startUs: number): readonly HistorySegment[];
}
