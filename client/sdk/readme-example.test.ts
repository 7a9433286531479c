/** The README's example is what people paste first: it must be right TypeScript against the SDK as it is. */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

it.each(["README.md", "docs/sdk.md"])("the example in %s type-checks", (path) => {
  const example = /```ts\n(import \{ joinRoom \}[\s\S]*?)```/.exec(
    readFileSync(join(root, path), "utf8"),
  )?.[1];
  expect(example).toBeDefined();
  const folder = join(root, "test/.cache/examples", path.replaceAll(/\W/g, "-"));
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "example.ts"), `declare const token: string;\n${example}`);
  const config = {
    extends: join(root, "client/tsconfig.json"),
    compilerOptions: { paths: { tributary: [join(root, "client/sdk/index.ts")] } },
    files: [
      "example.ts",
      join(root, "client/sdk/media-capture.d.ts"),
      join(root, "client/audio/audio-worklet-globals.d.ts"),
    ],
    include: [],
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
  const compiler = join(
    dirname(createRequire(import.meta.url).resolve("typescript/package.json")),
    "bin/tsc",
  );
  const { stdout } = spawnSync(process.execPath, [compiler, "-p", folder], { cwd: root, encoding: "utf8" });
  const faults = stdout.split("\n").filter((line) => line.includes("example.ts") || line.startsWith("error"));
  expect(faults).toEqual([]);
});
