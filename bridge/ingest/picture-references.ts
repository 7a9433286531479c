/** What each picture of somebody else's encoder needs, as far as its bitstream says (docs/wire.md, "References"). */
import { MAX_REFERENCE_DISTANCE } from "../../core/wire/limits.ts";

export class PictureReferences {
  /** Pictures since the newest that others may refer to, in decode order. */
  #distance = 0;

  /** Reference of the next picture: the newest before it that is not discardable, which is never too little. */
  next(keyframe: boolean, discardable: boolean): number {
    const reference = keyframe ? 0 : Math.min(Math.max(1, this.#distance), MAX_REFERENCE_DISTANCE);
    this.#distance = discardable && !keyframe ? this.#distance + 1 : 1;
    return reference;
  }
}
