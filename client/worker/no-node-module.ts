/** Stands in for Node's `module` in browser bundles: the Opus build asks for it only under Node. */
export function createRequire(): never {
  throw new Error("there is no require in a browser");
}
