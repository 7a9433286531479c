/**
 * Where recordings are kept: named objects of bytes. Implementations: files, S3. All run bridge/storage/storage.contract.ts.
 * Keys are like `recordings/abc/media.mp4`: segments of letters, digits and - _ . between slashes, none beginning with a dot.
 */

export interface StoredObject {
  key: string;
  bytes: number;
  /** Milliseconds since the Unix epoch. */
  modifiedMs: number;
}

/** An object that grows. */
export interface Appending {
  /** Bytes that are safe: they are there after a crash of this process. */
  readonly safeBytes: number;
  /**
   * Appends; resolves when the bytes would outlive a crash of this process. One call at a time. Rejects with StorageError; then nothing
   * of them counts as there, and the same may be tried again.
   */
  append(bytes: Uint8Array): Promise<void>;
  /** Takes everything behind the first `bytes` away: what a crash has torn. More than there are is a StorageError. */
  cut(bytes: number): Promise<void>;
  /** The object is whole now and can be read under its key. */
  finish(): Promise<void>;
}

export interface Storage {
  /** Writes a whole object, in place of what was there; readers see the old or the new one. */
  put(key: string, bytes: Uint8Array, contentType: string): Promise<void>;
  /**
   * Begins an object, or goes on with what is there: one that a crash has interrupted, or a whole one. `safeBytes` says where. One at a time a key.
   * `isNew`: there never was one, so nobody far away is asked for it.
   */
  append(key: string, contentType: string, isNew?: boolean): Promise<Appending>;
  /**
   * `range`: first byte and length, cut to what is there. Undefined: there is no such object. An object that still grows is read as far
   * as it is safe. `bytes` is its size now. The body is to be read or cancelled.
   */
  read(
    key: string,
    range?: { offset: number; length: number },
  ): Promise<{ body: ReadableStream<Uint8Array>; bytes: number } | undefined>;
  /** Objects whose key begins with `prefix`, growing ones too, by key as bytes compare. */
  list(prefix: string): AsyncIterable<StoredObject>;
  /** What is safe on this machine, but cannot be sent on now, and why; undefined: nothing keeps it. */
  readonly held?: StorageError | undefined;
  /** Removes an object; nothing happens when there is none. */
  delete(key: string): Promise<void>;
  /** Keys of unfinished objects that a process before has left on this machine and nobody here goes on with. */
  readonly left?: readonly string[];
  /** Bytes of an object where everybody sees it, whatever this machine has of it; undefined: there is none. */
  bytesSent?(key: string): Promise<number | undefined>;
  /**
   * Another machine has gone on with an object that was left here: what is here is dropped where everybody's begins with all of it, stays where it
   * begins with all of everybody's, and becomes the object `aside` otherwise. `completes`: nobody else has it now, so that what was sent last of it is put together first.
   */
  giveWay?(key: string, aside: string, completes: boolean): Promise<"dropped" | "set-aside" | "nothing">;
  /**
   * Gives up uploads below `prefix` that were begun longer ago, are none of this machine's, and of which `isOver` says that nobody goes on with
   * them: they cost, and nobody sees them. Returns how many, MAX_ORPHANS at most.
   */
  abortOrphans?(prefix: string, ageMs: number, isOver: (key: string) => Promise<boolean>): Promise<number>;
}

/** The storage did not do what was asked; `message` says what to do. */
export class StorageError extends Error {
  override readonly name = "StorageError";
  /** Trying again may help. */
  readonly temporary: boolean;
  constructor(message: string, temporary: boolean, options?: ErrorOptions) {
    super(message, options);
    this.temporary = temporary;
  }
}
