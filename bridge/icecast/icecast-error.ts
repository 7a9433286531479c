/** Why a request is refused, or a source ended by us: an HTTP status and a sentence for whoever set up the sending program. */

const PHRASES = {
  400: "Bad Request",
  401: "Authentication Required",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  409: "Conflict",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  503: "Service Unavailable",
} as const;

export type IcecastStatus = keyof typeof PHRASES;

export class IcecastError extends Error {
  override readonly name = "IcecastError";
  readonly status: IcecastStatus;
  constructor(status: IcecastStatus, message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }

  get phrase(): string {
    return PHRASES[this.status];
  }
}
