/** A TCP or TLS connection as bridges use it: bytes both ways, with back-pressure. Implementations: bridge/node, and in memory for tests. */

export interface ByteSocket {
  /** "address:port" of the other end. */
  readonly remoteAddress: string;
  /** Next chunk, or undefined at the other side's end. Rejects with SocketError when cut off. */
  read(): Promise<Uint8Array | undefined>;
  /** Resolves when the bytes were taken and the buffer has room again. Rejects with SocketError. The bytes must not change afterwards. */
  write(bytes: Uint8Array): Promise<void>;
  /** Bytes that were written and have not left. */
  readonly queuedBytes: number;
  /** Ends our direction after what was written. */
  finish(): void;
  /** Cuts it off at once; a second call does nothing. */
  destroy(): void;
}

/** The connection was refused, cut off or timed out; `message` says which. */
export class SocketError extends Error {
  override readonly name = "SocketError";
}
