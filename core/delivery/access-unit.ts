/** The one currency of media: an encoded picture or audio frame, as encoders make it and decoders take it. */

export interface AccessUnit {
  /** +1 for each unit of the track's rendition, modulo 2^32. */
  frameId: number;
  /** Capture time on the room clock, microseconds since the Unix epoch. */
  captureTimeUs: number;
  keyframe: boolean;
  /** No later unit refers to this one. */
  discardable: boolean;
  /** 0 = base. */
  temporalLayer: number;
  /** The newest unit that this one needs is so many frame ids back, 1..MAX_REFERENCE_DISTANCE; 0 = a keyframe needs none. */
  reference: number;
  /** 0 = the largest simulcast encoding. */
  rendition: number;
  /** 0 loudest .. 127 silence (RFC 6464); 127 for video. */
  audioLevel: number;
  voice: boolean;
  encrypted: boolean;
  /** It came as a redundant copy in a later unit's datagram, because its own was lost. */
  recovered?: boolean;
  /** H.264: Annex B, SPS and PPS in front of each keyframe. Opus: one frame as in RFC 6716. */
  bytes: Uint8Array;
}
