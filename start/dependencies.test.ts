/** An old runtime gets one line that says what to do. */
import { describe, expect, it } from "vitest";
import { checkRuntimeVersion } from "./dependencies.mjs";

describe("Node.js", () => {
  it.each(["20.19.0", "20.20.2", "22.0.0", "26.1.0"])("%s will do", (node) => {
    expect(() => checkRuntimeVersion({ node })).not.toThrow();
  });

  it.each(["18.20.4", "20.18.3", "0.12.0"])("%s is too old", (node) => {
    expect(() => checkRuntimeVersion({ node })).toThrow(
      /needs Node.js 20.19 or newer, and this is .*: install/,
    );
  });
});

describe("Deno, whatever Node.js it says it is", () => {
  it.each(["2.9.0", "2.10.1", "3.0.0"])("%s will do", (deno) => {
    expect(() => checkRuntimeVersion({ node: "18.0.0", deno })).not.toThrow();
  });

  it.each(["2.8.3", "1.46.3"])("%s is too old", (deno) => {
    expect(() => checkRuntimeVersion({ node: "24.2.0", deno })).toThrow(
      /needs Deno 2.9 or newer, and this is .*: run `deno upgrade`/,
    );
  });
});
