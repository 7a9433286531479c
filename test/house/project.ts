/** The project's source files, parsed once for all house rules. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../../start/dependencies.mjs";
import { projectFiles } from "../project-files.mjs";
import { readSource, type SourceFile } from "./source-model.ts";

/** Every path of the project that is the project's own. */
export const paths: readonly string[] = projectFiles();

/** Every TypeScript and JavaScript file, parsed. */
export const sources: readonly SourceFile[] = paths
  .filter((path) => /\.(ts|mjs|js)$/.test(path) && !path.endsWith(".d.ts"))
  .map((path) => readSource(path, textOf(path)));

/** Text of one of the project's files. */
export function textOf(path: string): string {
  return readFileSync(join(ROOT, path), "utf8");
}

/** Tests and what only they use: exempt from the rules of shipped code where a rule says so. */
export function isTest(path: string): boolean {
  return /\.(test|deno-test|contract)\.ts$/.test(path) || /^(test|bench)\//.test(path);
}
