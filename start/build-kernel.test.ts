import { expect, it } from "vitest";
import { KERNEL_HEX } from "../core/delivery/reed-solomon/kernel-binary.ts";
import { assembleKernel } from "./build-kernel.mjs";

it("kernel-binary.ts is what kernel.wat assembles to; if not, run npm run build:kernel", async () => {
  expect(KERNEL_HEX).toBe(await assembleKernel());
});
