/**
 * What each encoded picture needs, from what the encoder says of its temporal layers: a picture of layer 0 the last of layer 0,
 * one of a higher layer the newest of a lower layer (W3C "Scalable Video Coding", L1T2 and L1T3). Pictures that the bitstream marks as
 * referred to by none are needed by none. docs/wire.md, "References".
 */
import { MAX_REFERENCE_DISTANCE } from "../wire/limits.ts";

export interface LayerPlace {
  temporalLayer: number;
  /** As in AccessUnit. */
  reference: number;
  discardable: boolean;
}

const UNLAYERED_REFERENCE = 1;

export class LayerReferences {
  /** Number of the newest picture of each layer that others may refer to. */
  readonly #newest: number[] = [];
  #count = 0;
  /** From a keyframe that says its layer to a picture that does not. */
  #layered = false;

  /**
   * Takes the next picture that is sent.
   * @param layer what the encoder says; undefined = it makes no layers
   * @param discardable what the bitstream says
   */
  push(keyframe: boolean, layer: number | undefined, discardable: boolean): LayerPlace {
    const number = this.#count++;
    if (keyframe) {
      this.#layered = layer !== undefined;
      this.#newest.length = 0;
      this.#newest[0] = number;
      return { temporalLayer: 0, reference: 0, discardable: false };
    }
    const reference = this.#layered && layer !== undefined ? this.#distance(number, layer) : undefined;
    if (reference === undefined || layer === undefined) {
      // Until the next keyframe each is said to need the one before, which is never too little.
      this.#layered = false;
      return { temporalLayer: 0, reference: UNLAYERED_REFERENCE, discardable: false };
    }
    if (!discardable) this.#newest[layer] = number;
    return { temporalLayer: layer, reference, discardable };
  }

  /** A picture was not sent: what follows may need it. */
  interrupt(): void {
    this.#layered = false;
  }

  /** Undefined when it is too far for the wire. */
  #distance(number: number, layer: number): number | undefined {
    let newest = this.#newest[0] ?? 0;
    for (let lower = 1; lower < layer; lower++) newest = Math.max(newest, this.#newest[lower] ?? 0);
    const distance = number - newest;
    return distance <= MAX_REFERENCE_DISTANCE ? distance : undefined;
  }
}
