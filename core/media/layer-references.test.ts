import { describe, expect, it } from "vitest";
import { LayerReferences } from "./layer-references.ts";

/** Feeds layers, "K" before a keyframe's; "-" = the encoder says none, "!" behind = discardable. */
function places(pattern: string, references = new LayerReferences()): string {
  return pattern
    .split(" ")
    .map((text) => {
      const digit = text.replace(/[K!]/g, "");
      const layer = digit === "-" ? undefined : Number(digit);
      const { temporalLayer, reference } = references.push(text.startsWith("K"), layer, text.endsWith("!"));
      return `${temporalLayer}/${reference}`;
    })
    .join(" ");
}

describe("LayerReferences", () => {
  it("follows three layers", () => {
    const expected = "0/0 2/1 1/2 2/1 0/4 2/1 1/2 2/1 0/4";
    expect(places("K0 2! 1 2! 0 2! 1 2! 0")).toBe(expected);
  });

  it("follows two layers", () => {
    expect(places("K0 1! 0 1! 0")).toBe("0/0 1/1 0/2 1/1 0/2");
  });

  it("lets nothing be left out that the next is said to need", () => {
    const references = new LayerReferences();
    references.push(true, 0, false);
    expect(references.push(false, 1, true).discardable).toBe(true);
    expect(references.push(false, undefined, true).discardable).toBe(false);
  });

  it("begins anew at a keyframe in the middle of the pattern", () => {
    expect(places("K0 2! 1 K0 2! 1 2! 0")).toBe("0/0 2/1 1/2 0/0 2/1 1/2 2/1 0/4");
  });

  it("follows an encoder that leaves a picture out", () => {
    expect(places("K0 2! 2! 0 1 0 2!")).toBe("0/0 2/1 2/2 0/3 1/1 0/2 2/1");
  });

  it("says without layers that each needs the one before", () => {
    expect(places("K- - - -")).toBe("0/0 0/1 0/1 0/1");
  });

  it("makes no layers after a picture without one, until a keyframe", () => {
    expect(places("K0 1! - 1! 0 K0 1!")).toBe("0/0 1/1 0/1 0/1 0/1 0/0 1/1");
  });

  it("makes no layers after a picture that was not sent, until a keyframe", () => {
    const references = new LayerReferences();
    places("K0 2! 1", references);
    references.interrupt();
    expect(places("2! 0 K0 2!", references)).toBe("0/1 0/1 0/0 2/1");
  });

  it("makes no layers where the distance is too long for the wire", () => {
    expect(places("K0 1! 1! 1! 1! 1! 1! 1! 0 1!")).toBe("0/0 1/1 1/2 1/3 1/4 1/5 1/6 1/7 0/1 0/1");
  });
});
