/** An old Node.js gets one line that says what to install. */
import { describe, expect, it } from "vitest";
import { checkNodeVersion } from "./dependencies.mjs";

describe("Node.js", () => {
  it.each(["20.19.0", "20.20.2", "22.0.0", "26.1.0"])("%s will do", (version) => {
    expect(() => checkNodeVersion(version)).not.toThrow();
  });

  it.each(["18.20.4", "20.18.3", "0.12.0"])("%s is too old", (version) => {
    expect(() => checkNodeVersion(version)).toThrow(/needs Node.js 20.19 or newer, and this is .*: install/);
  });
});
