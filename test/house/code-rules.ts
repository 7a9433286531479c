/** What may be said where: runtime globals, names, file sizes, limits, dead exports. Each rule returns sentences. */
import { posix } from "node:path";
import { resolveImport } from "./floor-rules.ts";
import type { SourceFile } from "./source-model.ts";

const MAX_LINES = 350;
const MAX_FUNCTION_LINES = 80;

interface GlobalRule {
  /** Files that the rule binds. */
  where(path: string): boolean;
  names: readonly string[];
  why: string;
}

const runtimeFree = (path: string): boolean =>
  /^core\//.test(path) ||
  /^relay\/(?!deno\/|node\/|serving\/)/.test(path) ||
  /^bridge\/(?!node\/)/.test(path);
const GLOBAL_RULES: readonly GlobalRule[] = [
  {
    where: (path) =>
      !/^(relay\/deno|start|bench|test)\/|^gateway\/deno(-serve)?\.ts$|\.deno-test\.ts$/.test(path),
    names: ["Deno"],
    why: "only relay/deno, gateway/deno.ts, start and bench speak to Deno",
  },
  {
    where: (path) => !path.startsWith("client/") && !/^(test|bench)\//.test(path),
    names: [
      "document",
      "window",
      "navigator",
      "VideoEncoder",
      "VideoDecoder",
      "AudioEncoder",
      "AudioContext",
    ],
    why: "only client/ runs in a browser",
  },
  {
    where: runtimeFree,
    names: [
      "Date.now",
      "performance.now",
      "Math.random",
      "setTimeout",
      "setInterval",
      "queueMicrotask",
      "fetch",
      "process",
      "Buffer",
    ],
    why: "time, randomness and the network are handed in",
  },
];

/** Globals of a runtime in a folder that is not that runtime's. */
export function checkGlobals(files: readonly SourceFile[]): string[] {
  const broken: string[] = [];
  for (const file of files.filter((f) => !/\.test\.ts$/.test(f.path))) {
    for (const rule of GLOBAL_RULES.filter((r) => r.where(file.path))) {
      for (const use of file.uses) {
        const full = use.property === undefined ? use.name : `${use.name}.${use.property}`;
        if (file.declared.has(use.name)) continue;
        if (rule.names.includes(use.name) || rule.names.includes(full)) {
          broken.push(`${file.path}:${use.line} says ${full}: ${rule.why}`);
        }
      }
    }
  }
  return broken;
}

/** node: imports outside of Node's own folders, scripts and tests. */
export function checkNodeImports(files: readonly SourceFile[]): string[] {
  const allowed =
    /^((relay|bridge)\/node|start|test|bench|deploy)\/|^gateway\/(node\.ts|runtimes\/)|\/testing\/|\.(test|contract|deno-test|bench)\.ts$|\.config\.ts$/;
  return files
    .filter((file) => !allowed.test(file.path))
    .flatMap((file) =>
      file.imports
        .filter(({ from }) => from.startsWith("node:"))
        .map(
          ({ from }) =>
            `${file.path} imports ${from}: only relay/node, bridge/node, gateway/node.ts, scripts and tests do`,
        ),
    );
}

/** Files longer than a reader's patience, unless their header says why. */
export function checkLengths(files: readonly SourceFile[]): string[] {
  return files
    .filter((file) => file.lines > MAX_LINES && !/\blong(er)? (file )?because\b/i.test(file.header))
    .map((file) => `${file.path} has ${file.lines} lines: split it, or say "long because ..." in its header`);
}

/** Functions that no screen shows whole. Tests may be as long as their story. */
export function checkFunctions(files: readonly SourceFile[]): string[] {
  return files
    .filter((file) => !/\.(test|deno-test|contract)\.ts$/.test(file.path))
    .flatMap((file) =>
      file.functions
        .filter(({ lines }) => lines > MAX_FUNCTION_LINES)
        .map(({ name, line, lines }) => `${file.path}:${line} ${name} has ${lines} lines: split it`),
    );
}

/** Files that do not open with their duty. */
export function checkHeaders(files: readonly SourceFile[]): string[] {
  return files
    .filter((file) => !/\.test\.ts$/.test(file.path) && file.header.replace(/[/*\s]/g, "").length < 20)
    .map((file) => `${file.path} does not open with a comment that says its duty`);
}

const FORBIDDEN_NAMES = /(^|[-/.])(utils?|types|managers?|misc|helpers?|packets?|peers?)([-/.]|$)/;
/** README.md and its like, and the names that tools insist on. */
const OUTSIDE_KEBAB =
  /^((README|ARCHITECTURE|CONTRIBUTING|CHANGELOG|SECURITY|LICENSE|Dockerfile)(\.md|\.json)?|[a-z-]+@\.service)$/;

/** File and folder names: kebab-case, and none of the words that say nothing. */
export function checkNames(paths: readonly string[]): string[] {
  const broken: string[] = [];
  for (const path of paths) {
    if (FORBIDDEN_NAMES.test(path)) broken.push(`${path}: name it after what it does`);
    const name = posix.basename(path);
    if (!OUTSIDE_KEBAB.test(name) && !/^\.?[a-z0-9]+([-.][a-z0-9]+)*$/.test(name)) {
      broken.push(`${path} is not kebab-case`);
    }
  }
  return broken;
}

const LEFTOVERS: readonly [RegExp, string][] = [
  [/\bas any\b/, "as any"],
  [/@ts-(ignore|nocheck)/, "a switched-off type check"],
  [/\b(TODO|FIXME|XXX)\b/, "an open end"],
  [/\bconsole\.log\(/, "console.log"],
  [/\b(describe|it|test)\.(only|skip)\(/, "a test that is switched off"],
  [/\bcatch\s*(\([^)]*\))?\s*\{\s*\}/, "an empty catch"],
];

/** Things that are left over from working. */
export function checkLeftovers(files: readonly SourceFile[]): string[] {
  const broken: string[] = [];
  for (const file of files.filter((f) => !f.path.startsWith("test/house/"))) {
    file.text.split("\n").forEach((line, index) => {
      for (const [pattern, what] of LEFTOVERS) {
        if (pattern.test(line)) broken.push(`${file.path}:${index + 1} has ${what}`);
      }
    });
  }
  return broken;
}

/**
 * Exports that nobody imports. `isEntry` names files whose exports are for the outside. A use in tests alone counts
 * only for files that are tests' own.
 */
export function checkDeadExports(files: readonly SourceFile[], isEntry: (path: string) => boolean): string[] {
  const used = new Map<string, Set<string>>();
  for (const file of files) {
    for (const { from, names } of file.imports) {
      const target = resolveImport(file.path, from);
      if (target === undefined) continue;
      const all = used.get(target) ?? new Set<string>();
      for (const name of names) all.add(name);
      used.set(target, all);
    }
  }
  return files
    .filter((file) => !isEntry(file.path))
    .flatMap((file) => {
      const names = used.get(file.path);
      if (names?.has("*") === true) return [];
      return file.exports
        .filter((name) => names?.has(name) !== true)
        .filter((name) => !isUsedInOwnSignature(file, name))
        .map((name) => `${file.path} exports ${name}, which nobody imports`);
    });
}

/** An error class, which is there to be caught by whom it concerns, or an exported interface that only this file's other exports mention: callers meet it without importing its name. */
function isUsedInOwnSignature(file: SourceFile, name: string): boolean {
  // A custom element is used by its tag, and named for the tag's type.
  const isElement = new RegExp(`export class ${name} extends \\w*Element\\b`).test(file.text);
  if (isElement && file.text.includes("HTMLElementTagNameMap")) return true;
  if (new RegExp(`export class ${name} extends \\w*Error\\b`).test(file.text)) return true;
  const isType = new RegExp(`export (interface|type) ${name}\\b`).test(file.text);
  return isType && file.uses.some((use) => use.name === name);
}

/** Maxima written down elsewhere than in limits.ts; one that is worked out from others may stand where it is used. */
export function checkLimits(files: readonly SourceFile[]): string[] {
  return files
    .filter((file) => /^core\/(wire|session|delivery)\//.test(file.path) && !file.path.endsWith("/limits.ts"))
    .flatMap((file) =>
      [...file.text.matchAll(/^export const (MAX_\w+) = [\d_.* ]+;/gm)].map(
        ([, name]) => `${file.path} exports the limit ${name}: it belongs in core/wire/limits.ts`,
      ),
    );
}

/** `npm run x`, and `npm x` where it begins a line or a piece of code, whose script package.json does not have. */
export function checkCommands(document: string, scripts: readonly string[]): string[] {
  const builtIn = new Set(["ci", "install", "exec", "pack", "run"]);
  const named = [
    ...document.matchAll(/\bnpm run ([a-z][\w:-]*)/g),
    ...document.matchAll(/(?:^|`|\$ |&& )npm ([a-z][\w:-]*)/gm),
  ].map(([, name = ""]) => name);
  return [...new Set(named)]
    .filter((name) => !scripts.includes(name) && !builtIn.has(name))
    .map((name) => `the document says npm ${name}, which package.json does not have`);
}
