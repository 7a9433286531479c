/** One listener of an MP3 output: a response's body with a bounded queue. */
import { IcyInserter, type IcyTitle } from "./icy-metadata.ts";
import { MAX_LISTENER_QUEUE_BYTES } from "./limits.ts";

export class Listener {
  /** What it is answered. Bytes in it are shared: nobody may change them. */
  readonly body: ReadableStream<Uint8Array>;
  readonly #icy: IcyInserter | undefined;
  #controller!: ReadableStreamDefaultController<Uint8Array>;
  #open = true;

  /** `left`: it has gone away by itself. */
  constructor(options: { icy: boolean; left(): void }) {
    this.#icy = options.icy ? new IcyInserter() : undefined;
    this.body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        cancel: () => {
          this.#open = false;
          options.left();
        },
      },
      new ByteLengthQueuingStrategy({ highWaterMark: MAX_LISTENER_QUEUE_BYTES }),
    );
  }

  /** False: it is too slow, and has been cut off. */
  send(chunk: Uint8Array, title: IcyTitle): boolean {
    if (!this.#open) return true;
    if ((this.#controller.desiredSize ?? 0) < chunk.length) {
      this.#open = false;
      // What waits is let go of at once.
      this.#controller.error(tooSlow());
      return false;
    }
    if (this.#icy === undefined) this.#controller.enqueue(chunk);
    else for (const piece of this.#icy.pieces(chunk, title)) this.#controller.enqueue(piece);
    return true;
  }

  /** Ends the body after what was sent. */
  end(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#controller.close();
  }
}

/** HTTP servers print it: one line, since where it was thrown says nothing. */
function tooSlow(): Error {
  const error = new Error("A listener of an MP3 output took the sound too slowly and was cut off.");
  error.stack = error.message;
  return error;
}
