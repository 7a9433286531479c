/**
 * The slice of HTTP that etcd's JSON gateway asks for: POST with a body of text, an answer that may come piece by
 * piece. core knows neither fetch nor AbortController, so both are handed in: `httpPost(fetch, () => new AbortController())`.
 */
export interface HttpAnswer {
  readonly status: number;
  readonly body: { getReader(): HttpBodyReader } | null;
}

export interface HttpBodyReader {
  read(): Promise<{ done: boolean; value?: Uint8Array | undefined }>;
}

interface HttpRequest<Signal> {
  method: "POST";
  headers: Record<string, string>;
  body: string;
  /** Nobody is sent on to elsewhere with a token in its hands. */
  redirect: "manual";
  signal: Signal;
}

export type HttpPost = (
  url: string,
  headers: Record<string, string>,
  body: string,
) => { answer: Promise<HttpAnswer>; abort(): void };

/** `request` is called as a function by itself: hand in the global fetch, or anything of its shape. */
export function httpPost<Signal>(
  request: (url: string, init: HttpRequest<Signal>) => Promise<HttpAnswer>,
  newAbort: () => { signal: Signal; abort(): void },
): HttpPost {
  return (url, headers, body) => {
    const abort = newAbort();
    const answer = request(url, { method: "POST", headers, body, redirect: "manual", signal: abort.signal });
    return { answer, abort: () => abort.abort() };
  };
}
