/**
 * Functions that run inside a page: they are sent there as text, so each stands by itself. They look at what a person
 * would see and hear (canvas pixels, the sound before the speaker), not at what the SDK says of itself.
 */

declare global {
  interface Window {
    /** One for each connection to a speaker. */
    speakerTaps?: AnalyserNode[];
  }
}

/** Puts an analyser beside every connection to a speaker. Runs before the page's own scripts. */
export function installTap(): void {
  const taps: AnalyserNode[] = [];
  window.speakerTaps = taps;
  const connect = AudioNode.prototype.connect as (
    this: AudioNode,
    target: unknown,
    ...rest: unknown[]
  ) => unknown;
  function connectAndTap(this: AudioNode, target: unknown, ...rest: unknown[]): unknown {
    const result = connect.call(this, target, ...rest);
    if (target instanceof AudioDestinationNode || target instanceof MediaStreamAudioDestinationNode) {
      const tap = new AnalyserNode(this.context, { fftSize: 4096, smoothingTimeConstant: 0 });
      connect.call(this, tap);
      taps.push(tap);
    }
    return result;
  }
  AudioNode.prototype.connect = connectAndTap as typeof AudioNode.prototype.connect;
}

/** Runs a script in each of the page's module workers, before what is theirs. */
export function runFirstInWorkers(script: string): void {
  const fileOf = (text: string): string => URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  const Real = Worker;
  window.Worker = class extends Real {
    constructor(url: string | URL, options?: WorkerOptions) {
      const own = new URL(url, location.href).href;
      const imports = [fileOf(script), own].map((file) => `import ${JSON.stringify(file)};`);
      super(fileOf(imports.join("\n")), options);
    }
  };
}

/** Loudness and strongest frequency of one window of sound. */
export interface HeardWindow {
  /** Root mean square, 1 = full scale. */
  rms: number;
  peakHz: number;
}

/** Listens for `forMs` and gives a window about every 50 ms: the loudest of all taps. */
export async function listen(forMs: number): Promise<HeardWindow[]> {
  const heard: HeardWindow[] = [];
  const endMs = performance.now() + forMs;
  while (performance.now() < endMs) {
    let loudest: HeardWindow = { rms: 0, peakHz: 0 };
    for (const tap of window.speakerTaps ?? []) {
      const samples = new Float32Array(tap.fftSize);
      tap.getFloatTimeDomainData(samples);
      const rms = Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
      if (rms <= loudest.rms) continue;
      const bins = new Float32Array(tap.frequencyBinCount);
      tap.getFloatFrequencyData(bins);
      const peak = bins.reduce((best, level, i) => (level > (bins[best] as number) ? i : best), 0);
      loudest = { rms, peakHz: (peak * tap.context.sampleRate) / tap.fftSize };
    }
    heard.push(loudest);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return heard;
}

/** What a canvas shows now, at the clip's size. */
export interface SeenPicture {
  /** Green of each pixel, row by row, as base64: for grey pixels the same as luma in full range. */
  grey: string;
  /** Mean brightness of each code cell. */
  cells: number[];
  /** Mean colour of each patch. */
  colours: [number, number, number][];
}

export interface PictureLayout {
  width: number;
  height: number;
  codeRows: number;
  codeCells: number;
  colourTop: number;
  colourCount: number;
}

/** Reads the first canvas or video that matches `selector`; undefined when there is none with a picture. */
export function look(args: { selector: string; layout: PictureLayout }): SeenPicture | undefined {
  const { width, height, codeRows, codeCells, colourTop, colourCount } = args.layout;
  const source = document.querySelector<HTMLCanvasElement>(args.selector);
  if (source === null || source.width < 2 || source.height < 2) return undefined;
  const copy = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  if (copy === null) return undefined;
  copy.drawImage(source, 0, 0, width, height);
  const pixels = copy.getImageData(0, 0, width, height).data;
  const mean = (fromX: number, toX: number, fromY: number, toY: number, channel: number): number => {
    let sum = 0;
    for (let y = fromY; y < toY; y++) {
      for (let x = fromX; x < toX; x++) sum += pixels[(y * width + x) * 4 + channel] as number;
    }
    return sum / ((toX - fromX) * (toY - fromY));
  };
  const cellWidth = width / codeCells;
  const cells = Array.from({ length: codeCells }, (_, i) =>
    mean(i * cellWidth + 8, (i + 1) * cellWidth - 8, 6, codeRows - 6, 1),
  );
  const patchWidth = width / colourCount;
  const colours = Array.from({ length: colourCount }, (_, i): [number, number, number] => {
    const at = (channel: number) =>
      mean(i * patchWidth + 16, (i + 1) * patchWidth - 16, colourTop + 12, height - 8, channel);
    return [at(0), at(1), at(2)];
  });
  let grey = "";
  for (let i = 1; i < pixels.length; i += 4) grey += String.fromCharCode(pixels[i] as number);
  return { grey: btoa(grey), cells, colours };
}
