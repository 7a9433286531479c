/** A part of a stream of bytes, for services that send more than the range they were asked for (RFC 9110, 14.2 allows the whole). */

/** Leaves `skip` bytes out and ends after `length` more. */
export function sliceBody(
  body: ReadableStream<Uint8Array>,
  skip: number,
  length: number,
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  let before = skip;
  let left = length;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        while (left > 0) {
          const { value } = await reader.read();
          if (value === undefined) break;
          const piece = value.subarray(Math.min(before, value.length)).subarray(0, left);
          before -= Math.min(before, value.length);
          left -= piece.length;
          if (piece.length === 0) continue;
          controller.enqueue(piece);
          if (left > 0) return;
        }
        await reader.cancel();
        controller.close();
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}
