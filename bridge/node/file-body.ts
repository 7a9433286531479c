/** Bytes of an open file as a stream. What is short is read at once, so that nothing stays open; what is long stays open until it is read or cancelled. */
import type { FileHandle } from "node:fs/promises";
import { fileError } from "./file-errors.ts";

const CHUNK_BYTES = 256 * 1024;

/** From byte `from` up to, without, `end`. Closes the file. Errors when it has become shorter. */
export async function fileBody(
  file: FileHandle,
  from: number,
  end: number,
  key: string,
): Promise<ReadableStream<Uint8Array>> {
  const first = await readOrClose(file, from, end);
  let at = from + first.length;
  if (at >= end) await file.close();
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        if (first.length > 0) controller.enqueue(first);
        if (at >= end) controller.close();
      },
      async pull(controller) {
        try {
          const chunk = await readOrClose(file, at, end);
          at += chunk.length;
          controller.enqueue(chunk);
          if (at < end) return;
          await file.close();
          controller.close();
        } catch (cause) {
          controller.error(fileError(`read ${key}`, cause));
        }
      },
      cancel: () => file.close(),
    },
    { highWaterMark: 0 },
  );
}

async function readOrClose(file: FileHandle, at: number, end: number): Promise<Uint8Array> {
  const chunk = new Uint8Array(Math.min(CHUNK_BYTES, Math.max(0, end - at)));
  let done = 0;
  try {
    while (done < chunk.length) {
      const { bytesRead } = await file.read(chunk, done, chunk.length - done, at + done);
      if (bytesRead === 0) throw new Error(`it ends at ${at + done} of ${end} bytes`);
      done += bytesRead;
    }
    return chunk;
  } catch (error) {
    await file.close();
    throw error;
  }
}
