/**
 * `npm run build:kernel`: assembles core/delivery/reed-solomon/kernel.wat and writes the binary into kernel-binary.ts
 * beside it, so that it loads everywhere without a fetch. Run it after a change of kernel.wat; a test compares the two.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { ROOT } from "./dependencies.mjs";

const FOLDER = join(ROOT, "core", "delivery", "reed-solomon");
const SOURCE = join(FOLDER, "kernel.wat");
const GENERATED = join(FOLDER, "kernel-binary.ts");
const LINE_CHARS = 100;

/**
 * The binary of kernel.wat as it is now.
 * @returns {Promise<string>} two hexadecimal digits a byte
 * @throws {Error} with line and column when it does not assemble
 */
export async function assembleKernel() {
  const wabt = await createRequire(import.meta.url)("wabt")();
  const module = wabt.parseWat("kernel.wat", readFileSync(SOURCE, "utf8"), { simd: true });
  try {
    module.validate({ simd: true });
    return Buffer.from(module.toBinary({}).buffer).toString("hex");
  } finally {
    module.destroy();
  }
}

/** @param {string} hex */
function generatedFile(hex) {
  const lines = hex.match(new RegExp(`.{1,${LINE_CHARS}}`, "g")) ?? [];
  return [
    "/** Made from kernel.wat by `npm run build:kernel`: the assembled kernel, two hexadecimal digits a byte. */",
    "export const KERNEL_HEX = [",
    ...lines.map((line) => `  "${line}",`),
    '].join("");',
    "",
  ].join("\n");
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const hex = await assembleKernel();
  writeFileSync(GENERATED, generatedFile(hex));
  process.stdout.write(`kernel-binary.ts: ${hex.length / 2} bytes of WebAssembly\n`);
}
