/** Builds the web app (client/dist), or with `--mode sdk` the SDK as a library (client/dist-sdk). */
import { defineConfig, type Plugin } from "vite";

const client = decodeURIComponent(new URL(".", import.meta.url).pathname);

/** Shared memory between worker and AudioWorklet needs an isolated page. */
const isolation = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

/** The audience's pages and the check of the connection are documents of their own, so that neither loads what only the other needs (start/static-files.ts). */
const AUDIENCE_PATHS = /^\/(watch|listen|history)(\/(?![^/?]*\.(mp3|json)(\?|$))[^/?]*)?\/?(\?|$)/;
const DOCTOR_PATH = /^\/doctor\/?(\?|$)/;
const documents: Plugin = {
  name: "documents",
  configureServer({ middlewares }) {
    middlewares.use((request, _response, next) => {
      if (AUDIENCE_PATHS.test(request.url ?? "")) request.url = "/audience.html";
      if (DOCTOR_PATH.test(request.url ?? "")) request.url = "/doctor.html";
      next();
    });
  },
};

export default defineConfig(({ mode }) => ({
  root: `${client}app`,
  base: mode === "sdk" ? "./" : "/",
  appType: "spa",
  plugins: [documents],
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
      : {
          outDir: `${client}dist`,
          rolldownOptions: {
            input: [`${client}app/index.html`, `${client}app/audience.html`, `${client}app/doctor.html`],
          },
        }),
  },
}));
