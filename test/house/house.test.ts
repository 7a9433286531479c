/** The rules of ARCHITECTURE.md, kept by the whole tree as it is now. That each can fail is shown in rules.test.ts. */
import { describe, expect, it } from "vitest";
import * as code from "./code-rules.ts";
import { withDuties } from "./duties.mjs";
import * as floors from "./floor-rules.ts";
import { isTest, paths, sources, textOf } from "./project.ts";

/** Files whose exports are for others than this repository. */
function isEntry(path: string): boolean {
  return (
    isTest(path) ||
    /(^|\/)mod\.ts$|\.config\.ts$|^client\/sdk\/(api|index)\.ts$|\/testing\//.test(path) ||
    /^gateway\/(worker|deno|deno-serve|node)\.ts$/.test(path) ||
    // The first is imported by the name of a package that Vite replaces, the second also by whoever embeds a relay.
    path === "client/worker/no-node-module.ts" ||
    path === "relay/deno/main.ts"
  );
}

describe("house rules", () => {
  it("imports point down the floors only", () => expect(floors.checkFloors(sources)).toEqual([]));
  it("no import cycles", () => expect(floors.checkCycles(sources)).toEqual([]));
  it("each runtime's globals stay in its folder", () => expect(code.checkGlobals(sources)).toEqual([]));
  it("node: stays in Node's places", () => expect(code.checkNodeImports(sources)).toEqual([]));
  it("files are short or say why not", () => expect(code.checkLengths(sources)).toEqual([]));
  it("functions fit a screen", () => expect(code.checkFunctions(sources)).toEqual([]));
  it("files open with their duty", () => expect(code.checkHeaders(sources)).toEqual([]));
  it("names are kebab-case and say something", () => expect(code.checkNames(paths)).toEqual([]));
  it("nothing is left over from working", () => expect(code.checkLeftovers(sources)).toEqual([]));
  it("no dead exports", () => expect(code.checkDeadExports(sources, isEntry)).toEqual([]));
  it("limits stand in limits.ts", () => expect(code.checkLimits(sources)).toEqual([]));
  it("ARCHITECTURE.md says each file's duty (npm run duties)", () => {
    const page = textOf("ARCHITECTURE.md");
    expect(withDuties(page)).toBe(page);
  });
  it.each(paths.filter((path) => path.endsWith(".md")))("%s names commands that exist", (path) => {
    const scripts = Object.keys(JSON.parse(textOf("package.json")).scripts);
    expect(code.checkCommands(textOf(path), scripts)).toEqual([]);
  });
});
