/** Which temporal layers this browser's H.264 encoder offers (WebCodecs `scalabilityMode`): the most of those that we use, asked once a codec. */

const MODES = { L1T3: 3, L1T2: 2 } as const;
export type LayerMode = keyof typeof MODES;

const known = new Map<string, Promise<LayerMode | undefined>>();

/** Layers that a mode makes; 1 without one. */
export function layersOf(mode: LayerMode | undefined): number {
  return mode === undefined ? 1 : MODES[mode];
}

/** Never rejects; undefined = no layers. */
export function findLayerMode(codec: string): Promise<LayerMode | undefined> {
  const asked = known.get(codec) ?? ask(codec);
  known.set(codec, asked);
  return asked;
}

async function ask(codec: string): Promise<LayerMode | undefined> {
  const size = { width: 640, height: 360, bitrate: 1_000_000, framerate: 30 };
  for (const scalabilityMode of Object.keys(MODES) as LayerMode[]) {
    const config = { codec, ...size, latencyMode: "realtime", scalabilityMode } as const;
    const answer = await VideoEncoder.isConfigSupported(config).catch(() => undefined);
    // A browser that does not know the option leaves it out of what it says it supports.
    if (answer?.supported === true && answer.config?.scalabilityMode === scalabilityMode)
      return scalabilityMode;
  }
  return undefined;
}
