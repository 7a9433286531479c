/** What the page hands over of a device, read frame by frame: a stream that the browser makes, or a port that the page sends to. */
import type { CapturedSound, SoundMessage } from "../audio/captured-sound.ts";

export type CaptureInput<Frame> = ReadableStream<Frame> | MessagePort;

/** Page -> worker, through a port of pictures; "hidden" and "seen" are about the page. */
export type PictureMessage = VideoFrame | "end" | "hidden" | "seen";

/** Frames that a port may bring before they are read; at more the newest is dropped (counted as framesDropped). */
const MAX_WAITING_PICTURES = 2;
const MAX_WAITING_SOUND = 20;

export interface CaptureReader<Frame> {
  /** Undefined = the source has ended, or was cancelled. */
  read(): Promise<Frame | undefined>;
  cancel(): void;
  /** True when timestamps count from a place that only the source knows. */
  readonly hasOwnClock: boolean;
}

/** `onDrop` hears of each frame that came too fast. `frameRate`: how often a page that is not seen is asked. */
export function readPictures(
  input: CaptureInput<VideoFrame>,
  frameRate: number,
  onDrop: () => void,
): CaptureReader<VideoFrame> {
  if (input instanceof ReadableStream) return new StreamReader(input, (frame) => frame);
  return new HiddenPagePictures(input, frameRate, onDrop);
}

export function readSound(input: CaptureInput<AudioData>, onDrop: () => void): CaptureReader<CapturedSound> {
  if (input instanceof ReadableStream) return new StreamReader(input, mixedDown);
  const queue = new PortQueue<CapturedSound>(MAX_WAITING_SOUND, onDrop);
  input.onmessage = ({ data }: MessageEvent<SoundMessage>) => {
    if (data === "end") queue.end();
    else queue.push(data);
  };
  return {
    hasOwnClock: true,
    read: () => queue.next(),
    cancel: () => {
      input.close();
      queue.end();
    },
  };
}

class StreamReader<From, To> implements CaptureReader<To> {
  readonly hasOwnClock = false;
  readonly #reader: ReadableStreamDefaultReader<From>;
  readonly #convert: (from: From) => To;

  constructor(stream: ReadableStream<From>, convert: (from: From) => To) {
    this.#reader = stream.getReader();
    this.#convert = convert;
  }

  async read(): Promise<To | undefined> {
    const { value } = await this.#reader.read().catch(() => ({ value: undefined }));
    return value === undefined ? undefined : this.#convert(value);
  }

  cancel(): void {
    this.#reader.cancel().catch(() => undefined);
  }
}

/** Pictures through a port; a page that is not seen shows none of its own accord and is asked for each. */
class HiddenPagePictures implements CaptureReader<VideoFrame> {
  /** The page's clock, which is known. */
  readonly hasOwnClock = false;
  readonly #port: MessagePort;
  readonly #queue: PortQueue<VideoFrame>;
  readonly #intervalMs: number;
  #asking: ReturnType<typeof setInterval> | undefined;

  constructor(port: MessagePort, frameRate: number, onDrop: () => void) {
    this.#port = port;
    this.#intervalMs = 1000 / frameRate;
    this.#queue = new PortQueue(MAX_WAITING_PICTURES, (frame) => {
      frame.close();
      onDrop();
    });
    port.onmessage = ({ data }: MessageEvent<PictureMessage>) => {
      if (data === "end") this.#end();
      else if (data === "hidden") this.#ask(true);
      else if (data === "seen") this.#ask(false);
      else this.#queue.push(data);
    };
  }

  read(): Promise<VideoFrame | undefined> {
    return this.#queue.next();
  }

  cancel(): void {
    this.#port.close();
    this.#end();
  }

  #ask(hidden: boolean): void {
    clearInterval(this.#asking);
    this.#asking = hidden
      ? setInterval(() => this.#port.postMessage(undefined), this.#intervalMs)
      : undefined;
  }

  #end(): void {
    this.#ask(false);
    this.#queue.end();
  }
}

/** Frames that wait to be read, one reader, bounded. */
class PortQueue<Frame> {
  readonly #most: number;
  readonly #onDrop: (frame: Frame) => void;
  readonly #waiting: Frame[] = [];
  #reader: ((frame: Frame | undefined) => void) | undefined;
  #isOver = false;

  constructor(most: number, onDrop: (frame: Frame) => void) {
    this.#most = most;
    this.#onDrop = onDrop;
  }

  push(frame: Frame): void {
    const reader = this.#reader;
    if (reader !== undefined) {
      this.#reader = undefined;
      reader(frame);
    } else if (this.#isOver || this.#waiting.length >= this.#most) {
      this.#onDrop(frame);
    } else {
      this.#waiting.push(frame);
    }
  }

  /** What waits is still read. */
  end(): void {
    this.#isOver = true;
    this.#reader?.(undefined);
    this.#reader = undefined;
  }

  next(): Promise<Frame | undefined> {
    const frame = this.#waiting.shift();
    if (frame !== undefined || this.#isOver) return Promise.resolve(frame);
    return new Promise((resolve) => {
      this.#reader = resolve;
    });
  }
}

function mixedDown(data: AudioData): CapturedSound {
  const { numberOfChannels, timestamp, sampleRate } = data;
  const samples = new Float32Array(data.numberOfFrames);
  data.copyTo(samples, { planeIndex: 0, format: "f32-planar" });
  const plane = new Float32Array(numberOfChannels > 1 ? data.numberOfFrames : 0);
  for (let channel = 1; channel < numberOfChannels; channel++) {
    data.copyTo(plane, { planeIndex: channel, format: "f32-planar" });
    for (let i = 0; i < samples.length; i++) samples[i]! += plane[i]!;
  }
  for (let i = 0; numberOfChannels > 1 && i < samples.length; i++) samples[i]! /= numberOfChannels;
  data.close();
  return { timestampUs: timestamp, rateHz: sampleRate, samples };
}
