/** Sound and pictures as they go to every target: bodies of FLV tags, which are the payloads of RTMP's messages, made once. */

export interface FlvTag {
  kind: "sound" | "picture";
  /** Decode time since the output began, milliseconds; not wrapped. Never less than that of the tag of its kind before. */
  timestampMs: number;
  /** A decoder can start here; false for sound. */
  keyframe: boolean;
  body: Uint8Array;
  /** Body of the sequence header that must come first: the same object as long as it stays the same. */
  header: Uint8Array;
  /** When it was captured, microseconds since the Unix epoch. */
  captureUs: number;
}
