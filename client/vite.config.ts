/** Builds the web app (client/dist), or with `--mode sdk` the SDK as a library (client/dist-sdk). */
import { defineConfig } from "vite";

const client = decodeURIComponent(new URL(".", import.meta.url).pathname);

/** Shared memory between worker and AudioWorklet needs an isolated page. */
const isolation = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

export default defineConfig(({ mode }) => ({
  root: `${client}app`,
  base: mode === "sdk" ? "./" : "/",
  appType: "spa",
  worker: { format: "es" },
  // The Opus module looks for Node's `module` behind a check that browsers never pass.
  resolve: { alias: { "node:module": `${client}worker/no-node-module.ts` } },
  server: { headers: isolation },
  preview: { headers: isolation },
  build: {
    target: "es2024",
    emptyOutDir: true,
    sourcemap: true,
    ...(mode === "sdk"
      ? {
          outDir: `${client}dist-sdk`,
          lib: { entry: `${client}sdk/index.ts`, formats: ["es"], fileName: "tributary" },
        }
      : { outDir: `${client}dist` }),
  },
}));
