/** What a session over TCP is carried by: whole messages, in order, both ways. A WebSocket is one, an HTTP/2 stream another. */
export interface MessagePipe {
  /** Takes one message; its bytes must not change afterwards. */
  send(message: Uint8Array): void;
  /** Bytes that were taken and have not left for the network. */
  readonly waitingBytes: number;
  /** Called for each message; the bytes are the callee's until it returns. */
  onMessage: (message: Uint8Array) => void;
  /** Called when less waits, soon after MAX_TCP_WAITING_BYTES or more were seen to. */
  onWritable: () => void;
  /** Called once when nothing can come any more: the other side ended it, or it broke. `detail` is for people. */
  onOver: (detail: string) => void;
  /** Lets what waits leave, within TCP_CLOSE_LINGER_MS, then ends it. */
  end(): void;
}
