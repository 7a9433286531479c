/** Which way imports point: the floors of ARCHITECTURE.md, and no cycles. Each rule returns sentences, none when kept. */
import { posix } from "node:path";
import type { SourceFile } from "./source-model.ts";

/** Folder -> floor. A file belongs to the longest folder that it lies in. */
const FLOORS: Record<string, number> = {
  core: 0,
  "core/wire": 0,
  "core/delivery": 1,
  "core/media": 1,
  "core/session": 2,
  "core/directory": 2,
  "core/participant": 3,
  gateway: 4,
  relay: 4,
  bridge: 4,
  client: 4,
  start: 5,
  test: 6,
  bench: 6,
};

/** Siblings on one floor that may not know each other, said by how it is and not by the floor alone. */
const MAY_IMPORT_SIDEWAYS: Record<string, readonly string[]> = {
  // core/clock.ts and core/wire are the ground that both stand on.
  "core/wire": ["core"],
  test: ["bench"],
  bench: ["test"],
};

/** The one currency of the media path: carriers and codecs both speak of it. */
const COMMON_GROUND = new Set(["core/delivery/access-unit.ts"]);

/** What one file or folder must not see although floors would allow it. */
const FORBIDDEN: readonly { from: RegExp; to: RegExp; why: string }[] = [
  { from: /^relay\/forwarder\.ts$/, to: /^core\/media\//, why: "the relay never looks inside a payload" },
  { from: /^relay\/(?!deno\/|node\/)/, to: /^relay\/(deno|node)\//, why: "the relay core knows no runtime" },
  {
    from: /^relay\/(?!deno\/|node\/|serving\/)/,
    to: /^relay\/serving\//,
    why: "the relay core is handed what its process has",
  },
  {
    from: /^relay\/deno\/webtransport\//,
    to: /^(?!relay\/deno\/webtransport\/)/,
    why: "the HTTP/3 layer stands by itself",
  },
  { from: /^bridge\/(?!node\/)/, to: /^bridge\/node\//, why: "what a bridge does knows no runtime" },
  { from: /^client\/sdk\//, to: /^client\/app\//, why: "the SDK does not know the app" },
  { from: /^start\/.*\.mjs$/, to: /^(?!start\/)/, why: "it runs before anything is built" },
];

/** Imports that point upward or sideways. Tests may look at neighbours on floors at or below their own. */
export function checkFloors(files: readonly SourceFile[]): string[] {
  const broken: string[] = [];
  for (const file of files) {
    const from = folderOf(file.path);
    if (from === undefined) continue;
    const isUnitTest = /\.(test|deno-test|contract|bench)\.ts$|\/testing\//.test(file.path);
    for (const { from: specifier } of file.imports) {
      const target = resolveImport(file.path, specifier);
      const to = target === undefined ? undefined : folderOf(target);
      if (target === undefined || to === undefined) continue;
      const rule = isUnitTest
        ? undefined
        : FORBIDDEN.find((f) => f.from.test(file.path) && f.to.test(target));
      if (rule !== undefined) broken.push(`${file.path} must not import ${target}: ${rule.why}`);
      if (to === from || COMMON_GROUND.has(target)) continue;
      const [fromFloor, toFloor] = [FLOORS[from] ?? 0, FLOORS[to] ?? 0];
      if (toFloor > fromFloor && !(isUnitTest && to === "test")) {
        broken.push(`${file.path} imports upward: ${target} is on floor ${toFloor}, ${from} on ${fromFloor}`);
      } else if (toFloor === fromFloor && MAY_IMPORT_SIDEWAYS[from]?.includes(to) !== true) {
        broken.push(
          `${file.path} imports sideways: ${from} and ${to} are neighbours and unaware of each other`,
        );
      }
    }
  }
  return broken;
}

/** Import cycles; types count too, since they bind the reader just as much. */
export function checkCycles(files: readonly SourceFile[]): string[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const done = new Set<string>();
  const trail: string[] = [];
  const broken: string[] = [];
  const walk = (path: string): void => {
    const at = trail.indexOf(path);
    if (at !== -1) {
      broken.push(`import cycle: ${[...trail.slice(at), path].join(" -> ")}`);
      return;
    }
    const file = byPath.get(path);
    if (file === undefined || done.has(path)) return;
    trail.push(path);
    for (const { from } of file.imports) {
      const target = resolveImport(path, from);
      if (target !== undefined) walk(target);
    }
    trail.pop();
    done.add(path);
  };
  for (const file of files) walk(file.path);
  return broken;
}

/** Path of a relative import, undefined for packages. */
export function resolveImport(path: string, specifier: string): string | undefined {
  if (!specifier.startsWith(".")) return undefined;
  return posix.normalize(posix.join(posix.dirname(path), specifier.replace(/\?.*$/, "")));
}

function folderOf(path: string): string | undefined {
  for (let folder = posix.dirname(path); folder !== "."; folder = posix.dirname(folder)) {
    if (folder in FLOORS) return folder;
  }
  return undefined;
}
