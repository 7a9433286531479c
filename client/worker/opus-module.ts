/** libopus as a chunk of its own, so that its size does not hold up the worker's start. */

let loading: Promise<typeof import("libopus-wasm")> | undefined;

/** Loads and compiles it once. */
export function loadOpus(): Promise<typeof import("libopus-wasm")> {
  loading ??= import("libopus-wasm").then(async (opus) => {
    await opus.loadLibopus();
    return opus;
  });
  return loading;
}
