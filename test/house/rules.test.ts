/** Each house rule is able to fail: it is shown made-up files that break it, and files like them that do not. */
import { describe, expect, it } from "vitest";
import * as code from "./code-rules.ts";
import * as floors from "./floor-rules.ts";
import { readSource, type SourceFile } from "./source-model.ts";

const HEADER = "/** Does one thing that a test of the rules needs. */\n";

function file(path: string, text: string): SourceFile {
  return readSource(path, HEADER + text);
}

describe("floors", () => {
  it.each([
    ["core/wire/a.ts", "../session/b.ts", "upward"],
    ["core/delivery/a.ts", "../media/b.ts", "sideways"],
    ["gateway/a.ts", "../relay/b.ts", "sideways"],
    ["client/sdk/a.ts", "../../gateway/b.ts", "sideways"],
    ["relay/a.ts", "../bridge/b.ts", "sideways"],
    ["relay/forwarder.ts", "../core/media/b.ts", "payload"],
    ["relay/room.ts", "./deno/b.ts", "no runtime"],
    ["relay/deno/webtransport/a.ts", "../../../core/wire/b.ts", "by itself"],
    ["client/sdk/a.ts", "../app/b.ts", "does not know the app"],
  ])("%s may not import %s", (path, specifier, word) => {
    expect(floors.checkFloors([file(path, `import { b } from "${specifier}";`)]).join()).toContain(word);
    expect(floors.checkFloors([file(path, `import type { B } from "${specifier}";`)]).join()).toContain(word);
    expect(floors.checkFloors([file(path, `export * from "${specifier}";`)]).join()).toContain(word);
    expect(floors.checkFloors([file(path, `await import("${specifier}");`)]).join()).toContain(word);
  });

  it.each([
    ["core/session/a.ts", "../wire/b.ts"],
    ["core/participant/a.ts", "../session/b.ts"],
    ["bridge/a.ts", "../core/participant/b.ts"],
    ["relay/deno/a.ts", "../room.ts"],
    ["start/all.ts", "../gateway/app.ts"],
    ["core/wire/a.ts", "../clock.ts"],
    ["core/media/a.ts", "zod"],
    ["core/media/a.ts", "../delivery/access-unit.ts"],
  ])("%s may import %s", (path, specifier) => {
    expect(floors.checkFloors([file(path, `import { b } from "${specifier}";`)])).toEqual([]);
  });

  it("cycles are found, through types and over several files", () => {
    const files = [
      file("core/a.ts", 'import { b } from "./b.ts";'),
      file("core/b.ts", 'import type { C } from "./c.ts";'),
      file("core/c.ts", 'export { a } from "./a.ts";'),
    ];
    expect(floors.checkCycles(files)).toEqual([
      "import cycle: core/a.ts -> core/b.ts -> core/c.ts -> core/a.ts",
    ]);
    expect(floors.checkCycles(files.slice(0, 2))).toEqual([]);
  });
});

describe("globals", () => {
  it.each([
    ["relay/room.ts", "Deno.exit(1);"],
    ["core/wire/a.ts", "const at = Date.now();"],
    ["core/wire/a.ts", "const at = globalThis.x ?? Math.random();"],
    ["relay/room.ts", "setTimeout(() => {}, 5);"],
    ["gateway/app.ts", "document.title;"],
    ["core/media/a.ts", "let encoder: VideoEncoder;"],
    ["gateway/app.ts", "type Conn = Deno.Conn;"],
  ])("%s may not say %s", (path, text) => {
    expect(code.checkGlobals([file(path, text)])).toHaveLength(1);
  });

  it.each([
    ["relay/deno/main.ts", "Deno.exit(1);"],
    ["relay/deno/main.ts", "setTimeout(() => {}, 5);"],
    ["core/wire/a.ts", "/** Date.now() */ const at = clock.setTimeout;"],
    ["core/media/a.ts", "const window = new Float32Array(5); window.fill(0);"],
    ["core/media/a.ts", "const a = new Date(5); Math.max(1, 2);"],
    ["core/media/a.ts", "const a = { document: 1 }; a.document;"],
    ["client/app/a.ts", "document.title;"],
  ])("%s may say %s", (path, text) => {
    expect(code.checkGlobals([file(path, text)])).toEqual([]);
  });

  it("node: imports", () => {
    const text = 'import { readFile } from "node:fs/promises";';
    expect(code.checkNodeImports([file("relay/room.ts", text), file("core/wire/a.ts", text)])).toHaveLength(
      2,
    );
    expect(code.checkNodeImports([file("gateway/node.ts", text), file("core/wire/a.test.ts", text)])).toEqual(
      [],
    );
  });
});

describe("files and names", () => {
  it("long files need a reason", () => {
    const long = "\n".repeat(351);
    expect(code.checkLengths([file("core/a.ts", long)])).toHaveLength(1);
    expect(
      code.checkLengths([readSource("core/a.ts", `/** A table; long because it is one. */${long}`)]),
    ).toEqual([]);
    expect(code.checkLengths([file("core/a.ts", "\n".repeat(300))])).toEqual([]);
  });

  it("functions fit a screen", () => {
    const body = (lines: number) => `export function long(): void {${"\n  run();".repeat(lines)}\n}`;
    expect(code.checkFunctions([file("core/a.ts", body(90))])).toEqual([
      "core/a.ts:2 long has 92 lines: split it",
    ]);
    expect(code.checkFunctions([file("core/a.ts", body(60)), file("core/a.test.ts", body(90))])).toEqual([]);
    expect(code.checkFunctions([file("core/a.ts", `const run = () => {${"\n".repeat(90)}};`)])).toHaveLength(
      1,
    );
  });

  it("headers", () => {
    expect(code.checkHeaders([readSource("core/a.ts", "export const a = 1;\n")])).toHaveLength(1);
    expect(code.checkHeaders([readSource("core/a.ts", "/** a */\nexport const a = 1;\n")])).toHaveLength(1);
    expect(code.checkHeaders([file("core/a.ts", "")])).toEqual([]);
    expect(
      code.checkHeaders([
        readSource("start/a.mjs", "#!/usr/bin/env node\n/** Says what this file is there for. */\n"),
      ]),
    ).toEqual([]);
  });

  it.each([
    "core/utils/a.ts",
    "core/types.ts",
    "relay/room-manager.ts",
    "client/misc.ts",
    "test/helpers.ts",
    "core/media-packet.ts",
    "relay/roomState.ts",
    "client/App.ts",
    "relay/peer.ts",
  ])("%s is no name", (path) => {
    expect(code.checkNames([path])).toHaveLength(1);
  });

  it.each([
    "README.md",
    "core/wire/a.deno-test.ts",
    ".ci/run",
    "deploy/Dockerfile",
    "deploy/systemd/tributary-relay@.service",
    "client/app/room-page.ts",
  ])("%s is a name", (path) => expect(code.checkNames([path])).toEqual([]));

  it.each([
    "const a = b as any;",
    "// @ts-ignore",
    "// TODO later",
    "console.log(1);",
    "try { a(); } catch {}",
    'it.only("x", () => {});',
  ])("%s is a left-over", (text) => expect(code.checkLeftovers([file("core/a.ts", text)])).toHaveLength(1));

  it("limits are found outside of limits.ts", () => {
    const text = "export const MAX_THINGS = 5;";
    expect(code.checkLimits([file("core/session/a.ts", text)])).toHaveLength(1);
    expect(code.checkLimits([file("core/wire/limits.ts", text)])).toEqual([]);
    expect(code.checkLimits([file("core/session/a.ts", "export const MAX_BYTES = 2 * MAX_THINGS;")])).toEqual(
      [],
    );
  });

  it("commands of documents", () => {
    expect(
      code.checkCommands("Run `npm run fly`, then `npm start` from the npm registry.", ["start"]),
    ).toHaveLength(1);
    expect(
      code.checkCommands("Run `npm ci`, `npm test -- unit`, `npm run bench -- call`.", ["test", "bench"]),
    ).toEqual([]);
  });
});

describe("dead exports", () => {
  const noEntries = (): boolean => false;

  it("a symbol that nobody imports is dead, one that somebody does is not", () => {
    const files = [
      file("core/a.ts", "export const used = 1; export function dead() {} export type Dead = number;"),
      file("core/b.ts", 'import { used } from "./a.ts"; used;'),
    ];
    expect(code.checkDeadExports(files, noEntries)).toEqual([
      "core/a.ts exports dead, which nobody imports",
      "core/a.ts exports Dead, which nobody imports",
    ]);
    expect(code.checkDeadExports(files, (path) => path === "core/a.ts")).toEqual([]);
  });

  it("re-exports, dynamic imports and shapes of other exports count as use", () => {
    const files = [
      file("core/a.ts", "export interface Options { x: number } export function make(options: Options) {}"),
      file("core/b.ts", 'export { make } from "./a.ts";'),
      file("core/c.ts", 'const all = await import("./b.ts"); all;'),
    ];
    expect(code.checkDeadExports(files, noEntries)).toEqual([]);
  });

  it("error classes are for whoever catches them", () => {
    expect(
      code.checkDeadExports([file("core/a.ts", "export class OddError extends Error {}")], noEntries),
    ).toEqual([]);
  });
});
