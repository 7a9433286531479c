/** The canvases that show one remote picture: drawn together, no larger than they are seen, with the last picture kept for new ones. */

/** A canvas is drawn smaller than the picture only when it is seen at half its size or less. */
const SHRINK_BELOW = 0.5;

interface Canvas {
  canvas: OffscreenCanvas;
  context: OffscreenCanvasRenderingContext2D | null;
  /** Size on screen in device pixels, 0 = not known. */
  seenWidth: number;
  seenHeight: number;
}

export class PictureBoard {
  readonly #canvases = new Map<number, Canvas>();
  #shown: VideoFrame | undefined;

  get size(): number {
    return this.#canvases.size;
  }

  get hasPicture(): boolean {
    return this.#shown !== undefined;
  }

  /** Returns true when there was a picture to draw on it. */
  attach(canvasId: number, canvas: OffscreenCanvas): boolean {
    const context = canvas.getContext("2d", { alpha: false });
    const entry: Canvas = { canvas, context, seenWidth: 0, seenHeight: 0 };
    this.#canvases.set(canvasId, entry);
    if (this.#shown === undefined) return false;
    draw(entry, this.#shown);
    return true;
  }

  detach(canvasId: number): void {
    this.#canvases.delete(canvasId);
  }

  resize(canvasId: number, width: number, height: number): void {
    const entry = this.#canvases.get(canvasId);
    if (entry === undefined) return;
    entry.seenWidth = width;
    entry.seenHeight = height;
  }

  /** Draws on every canvas; takes the frame over. */
  show(frame: VideoFrame): void {
    for (const entry of this.#canvases.values()) draw(entry, frame);
    this.#shown?.close();
    this.#shown = frame;
  }

  clear(): void {
    this.#shown?.close();
    this.#shown = undefined;
  }
}

function draw(entry: Canvas, frame: VideoFrame): void {
  const seen = Math.max(entry.seenWidth / frame.displayWidth, entry.seenHeight / frame.displayHeight);
  const scale = seen > 0 && seen <= SHRINK_BELOW ? seen : 1;
  const width = Math.max(1, Math.round(frame.displayWidth * scale));
  const height = Math.max(1, Math.round(frame.displayHeight * scale));
  if (entry.canvas.width !== width) entry.canvas.width = width;
  if (entry.canvas.height !== height) entry.canvas.height = height;
  entry.context?.drawImage(frame, 0, 0, width, height);
}
