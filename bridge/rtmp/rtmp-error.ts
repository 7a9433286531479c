/** What goes wrong with RTMP, AMF0 and FLV bytes that came from outside: one typed error, whose sentence can be logged and shown. */

export type RtmpFault =
  /** The bytes break the format. */
  | "malformed"
  /** Larger, deeper or more than this side takes (limits.ts). */
  | "too-large"
  /** Well formed, but nothing that this side does: RTMPE, AMF3 values, a codec. */
  | "unsupported";

export class RtmpError extends Error {
  override readonly name = "RtmpError";
  readonly fault: RtmpFault;
  constructor(fault: RtmpFault, message: string, options?: ErrorOptions) {
    super(message, options);
    this.fault = fault;
  }
}
