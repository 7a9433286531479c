/** What Icecast ingest gives and asks: a grant to send, the sink that the sound goes to, and why it ends. */
import type { SoundBlock } from "../programme/programme.ts";
import type { ForeignFormat } from "../sound/sound-decoder.ts";

export type IcecastEndCode =
  /** The sender is done, and all that it sent has been played. */
  | "finished"
  /** The connection broke. */
  | "disconnected"
  /** The same key was used anew. */
  | "taken-over"
  /** Nothing came for a while. */
  | "idle"
  /** What was sent does not decode, or its chunks are malformed. */
  | "malformed"
  /** `IcecastControl.end`, the server closes, or it has no decoder. */
  | "ended-here";

export interface IcecastEnd {
  code: IcecastEndCode;
  /** For people. */
  message: string;
}

/** Calls are synchronous, must return soon and must not throw. */
export interface IcecastSink {
  /**
   * 20 ms, when it is their turn: `timeUs` is on the clock that the server was given, and each block begins where the one before ended unless
   * the sender ran dry in between. The arrays are the sink's to keep.
   */
  onSound(block: SoundBlock): void;
  /** What is playing, as the sender says (`/admin/metadata`). */
  onTitle(title: string): void;
  /** Nothing comes after it. */
  onEnd(end: IcecastEnd): void;
}

export interface IcecastStats {
  /** Of the body. */
  bytes: number;
  /** Given to the sink. */
  blocks: number;
  /** Times that the sender ran dry. */
  gaps: number;
  /** Blocks that were faded into the next, because the sender's clock is fast or it had sent ahead. */
  skippedBlocks: number;
}

/** A running source, as the sink's maker holds it. */
export interface IcecastControl {
  readonly remoteAddress: string;
  readonly stats: Readonly<IcecastStats>;
  /** How far the sound lies behind its arrival, milliseconds. */
  readonly delayMs: number;
  /** Ends it from our side. The sink's onEnd follows at once. */
  end(message: string): void;
}

export interface IcecastRequest {
  /** Begin a source, or only say what it plays. */
  purpose: "source" | "metadata";
  /** Path, without the slash in front. */
  mount: string;
  streamKey: string;
  remoteAddress: string;
  /** `ice-name`, or undefined. */
  stationName: string | undefined;
  /** Undefined for metadata. */
  format: ForeignFormat | undefined;
}

export type IcecastAnswer =
  | {
      granted: true;
      /** Two grants of the same one take over from each other. */
      publication: string;
      /** Called for a source, not for metadata. */
      open(control: IcecastControl): IcecastSink;
    }
  | {
      granted: false;
      /** A sentence for whoever set up the sending program. */
      message: string;
      /** Counts towards the limit of wrong keys of its address. */
      wrongKey: boolean;
    };

export type AuthoriseIcecast = (request: IcecastRequest) => Promise<IcecastAnswer>;
