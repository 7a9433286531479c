/** A camera in three temporal layers, in the pattern of Chromium's encoder (L1T3). */
import type { AccessUnit } from "../../core/delivery/access-unit.ts";
import type { TrackOffer } from "../../core/wire/room-model.ts";
import { cameraOf, unitOf } from "./simulated-cluster.ts";

/** Layer and reference distance of the pictures of a pattern of four. */
const PATTERN = [
  { temporalLayer: 0, reference: 4 },
  { temporalLayer: 2, reference: 1 },
  { temporalLayer: 1, reference: 2 },
  { temporalLayer: 2, reference: 1 },
] as const;

export const LAYERED_CAMERA: TrackOffer = cameraOf(1_000_000);

/** Picture `frameId`, `sinceKeyframe` pictures after the last keyframe. */
export function layeredUnitOf(
  frameId: number,
  captureTimeUs: number,
  { size, sinceKeyframe = frameId }: { size: number; sinceKeyframe?: number },
): AccessUnit {
  const place = PATTERN[sinceKeyframe % 4]!;
  const keyframe = sinceKeyframe === 0;
  return unitOf(frameId, captureTimeUs, {
    size,
    keyframe,
    temporalLayer: place.temporalLayer,
    reference: keyframe ? 0 : place.reference,
    discardable: place.temporalLayer === 2,
  });
}
