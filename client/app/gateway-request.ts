/** Asks the gateway's API something and reads its answer; problem documents (RFC 9457) become sentences for people. */
import type { z } from "zod";

/** What the gateway said no to. `message` is a sentence for people that says what to do. */
export class GatewayRefusal extends Error {
  override readonly name = "GatewayRefusal";
  /** HTTP status; 0 where no answer came, or none that could be read. */
  readonly status: number;
  constructor(status: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}

export interface GatewayQuestion {
  /** Below the page's own origin. */
  path: string;
  method?: "GET" | "POST" | "DELETE";
  /** Sent as JSON. */
  body?: unknown;
  /** Join token or API key; empty = none. */
  token: string;
  signal?: AbortSignal | undefined;
}

/** One problem's sentence; a longer one is cut. */
const MAX_DETAIL_CHARS = 400;
/** An answer that takes longer is as good as none. */
const TIMEOUT_MS = 15_000;

/** Resolves to the answer as `schema` reads it, undefined for an empty one where the schema takes that. Rejects with GatewayRefusal. */
export async function askGateway<Schema extends z.ZodType>(
  schema: Schema,
  question: GatewayQuestion,
  fetcher: typeof fetch = fetch,
): Promise<z.infer<Schema>> {
  const { path, method = "GET", body, token } = question;
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  const signal = question.signal === undefined ? timeout : AbortSignal.any([question.signal, timeout]);
  let status: number;
  let answer: unknown;
  try {
    const response = await fetcher(path, {
      method,
      signal,
      cache: "no-store",
      headers: {
        ...(token === "" ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    status = response.status;
    answer = parsed(await response.text());
  } catch (cause) {
    if (question.signal?.aborted === true) throw cause;
    throw new GatewayRefusal(0, "The server cannot be reached. Check your connection and try again.", {
      cause,
    });
  }
  if (status < 200 || status > 299) throw new GatewayRefusal(status, refusalText(status, answer));
  const read = schema.safeParse(answer);
  if (read.success) return read.data;
  throw new GatewayRefusal(
    0,
    "The server gave an answer that this page does not understand. Load the page again.",
    {
      cause: read.error,
    },
  );
}

function parsed(text: string): unknown {
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return null; // A page of a proxy, for example: its status says more than its text.
  }
}

function refusalText(status: number, answer: unknown): string {
  if (typeof answer === "object" && answer !== null) {
    const { detail, title } = answer as { detail?: unknown; title?: unknown };
    for (const text of [detail, title]) {
      if (typeof text === "string" && text.trim() !== "") return text.slice(0, MAX_DETAIL_CHARS);
    }
  }
  if (status === 429) return "Too many requests from here. Wait a minute, then try again.";
  return `The server refused (status ${status}). Try again in a moment.`;
}
