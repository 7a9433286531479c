/**
 * Serves the built web client from memory, with the headers that let its pages use SharedArrayBuffer and cache well.
 * What is served was read at the start, so no path in a request ever reaches the disk.
 */

const MIME_TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  mjs: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  json: "application/json; charset=utf-8",
  webmanifest: "application/manifest+json; charset=utf-8",
  svg: "image/svg+xml",
  txt: "text/plain; charset=utf-8",
  wasm: "application/wasm",
  png: "image/png",
  ico: "image/x-icon",
  woff2: "font/woff2",
};
/** Already compressed; gzip would only cost time. */
const PACKED = new Set(["png", "woff2", "ico"]);
const ONE_YEAR = "public, max-age=31536000, immutable";
/** `name-<hash>.ext` under assets/, as Vite names what it builds. */
const HASHED = /^\/assets\/.*-[\w-]{8,}\.\w+$/;
/** Paths that are pages, and the document that reads the room or recording from them. What ends in .mp3 is a stream, and .json tells of it. */
const PAGES: readonly [paths: RegExp, document: string][] = [
  [/^\/(r\/[^/]*\/?)?$/, "/index.html"],
  [/^\/(watch|listen|history)(\/(?![^/]*\.(mp3|json)\/?$)[^/]*)?\/?$/, "/audience.html"],
  [/^\/doctor\/?$/, "/doctor.html"],
];

/** Isolation: without these three a page may not share memory between its threads. */
const ISOLATION = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
  "cross-origin-resource-policy": "same-origin",
};

interface StaticFile {
  readonly plain: Uint8Array<ArrayBuffer>;
  readonly gzipped: Uint8Array<ArrayBuffer> | undefined;
  readonly headers: Readonly<Record<string, string>>;
}

export class StaticFiles {
  readonly #files: ReadonlyMap<string, StaticFile>;

  private constructor(files: ReadonlyMap<string, StaticFile>) {
    this.#files = files;
  }

  /** Reads every file below `folder`. Rejects with Deno.errors.NotFound when the folder is missing. */
  static async read(folder: string): Promise<StaticFiles> {
    const files = new Map<string, StaticFile>();
    const visit = async (path: string): Promise<void> => {
      for await (const entry of Deno.readDir(folder + path)) {
        const inside = `${path}/${entry.name}`;
        if (entry.isDirectory) await visit(inside);
        else if (entry.isFile && !entry.name.startsWith(".")) {
          files.set(inside, await prepare(inside, await Deno.readFile(folder + inside)));
        }
      }
    };
    await visit("");
    return new StaticFiles(files);
  }

  /** The answer to a GET or HEAD of something that is here, else undefined. */
  answer(request: Request): Response | undefined {
    if (request.method !== "GET" && request.method !== "HEAD") return undefined;
    const path = pathOf(request.url);
    const file = this.#files.get(documentOf(path) ?? path);
    if (file === undefined) return undefined;
    const headers = new Headers(file.headers);
    if (request.headers.get("if-none-match") === headers.get("etag")) {
      return new Response(null, { status: 304, headers });
    }
    const gzip = file.gzipped !== undefined && acceptsGzip(request.headers.get("accept-encoding"));
    if (gzip) headers.set("content-encoding", "gzip");
    const body = gzip ? (file.gzipped as Uint8Array<ArrayBuffer>) : file.plain;
    headers.set("content-length", String(body.length));
    return new Response(request.method === "HEAD" ? null : body, { headers });
  }
}

function documentOf(path: string): string | undefined {
  return PAGES.find(([paths]) => paths.test(path))?.[1];
}

async function prepare(path: string, plain: Uint8Array<ArrayBuffer>): Promise<StaticFile> {
  const extension = path.split(".").at(-1) ?? "";
  const gzipped = PACKED.has(extension) ? undefined : await gzip(plain);
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", plain)).subarray(0, 12);
  return {
    plain,
    gzipped: gzipped !== undefined && gzipped.length < plain.length * 0.9 ? gzipped : undefined,
    headers: {
      ...ISOLATION,
      "content-type": MIME_TYPES[extension] ?? "application/octet-stream",
      "cache-control": HASHED.test(path) ? ONE_YEAR : "no-cache",
      "x-content-type-options": "nosniff",
      vary: "accept-encoding",
      etag: `"${hash.toHex()}"`,
    },
  };
}

async function gzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function acceptsGzip(header: string | null): boolean {
  return (header ?? "").split(",").some((coding) => /^\s*gzip\s*(;\s*q=(?!0(\.0*)?\s*$).*)?$/i.test(coding));
}

function pathOf(url: string): string {
  const { pathname } = new URL(url);
  try {
    return decodeURIComponent(pathname);
  } catch {
    return pathname; // A broken escape names no file of ours.
  }
}
