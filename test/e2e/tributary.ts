/** Starts the product as a person does (`node start/main.mjs`), on free ports, and ends it with everything it started. */
import { type ChildProcess, spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { join } from "node:path";
import { ROOT } from "../../start/dependencies.mjs";

const API_KEY = "test:a-secret-for-tests-that-is-long-enough-0123";
const READY_TIMEOUT_MS = 100_000;
const STOP_TIMEOUT_MS = 8_000;

export interface RunningTributary {
  /** Without a slash at the end. */
  url: string;
  /** Calls the gateway's API with the API key; resolves to status and body. */
  api(
    method: string,
    path: string,
    body?: unknown,
    authorization?: string,
  ): Promise<{ status: number; body: unknown }>;
  /** A join token for a room. */
  mint(
    room: string,
    identity: string,
    grants?: Record<string, unknown>,
    ttlSeconds?: number,
  ): Promise<string>;
  /** What it said on standard output and error. */
  output(): string;
  stop(): Promise<void>;
}

/** `command`: another one than `npm start` runs. Rejects with what it printed when it does not get ready. */
export async function startTributary(
  options: { env?: Record<string, string>; command?: [program: string, ...args: string[]] } = {},
): Promise<RunningTributary> {
  const [program, ...args] = options.command ?? [process.execPath, join(ROOT, "start", "main.mjs")];
  const child = spawn(program, args, {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...process.env,
      PORT: "0",
      RELAY_PORT: "0",
      TRIBUTARY_API_KEYS: API_KEY,
      TRIBUTARY_STATE: "test/.cache/state",
      ...options.env,
    },
  });
  const running = new Output(child);
  let url: string;
  try {
    url = await running.ready();
  } catch (error) {
    await stop(child);
    throw error;
  }
  const api: RunningTributary["api"] = async (method, path, body, authorization = `Bearer ${API_KEY}`) => {
    const response = await fetch(url + path, {
      method,
      headers: { authorization, ...(body === undefined ? {} : { "content-type": "application/json" }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: text === "" ? undefined : JSON.parse(text) };
  };
  return {
    url,
    api,
    async mint(room, identity, grants = { publish: ["camera", "microphone", "screen"] }, ttlSeconds = 3_600) {
      const { status, body } = await api("POST", `/v1/rooms/${room}/tokens`, {
        identity,
        name: identity,
        grants,
        ttlSeconds,
      });
      if (status !== 200) throw new Error(`no join token: ${status} ${JSON.stringify(body)}`);
      return (body as { token: string }).token;
    },
    output: () => running.text,
    stop: () => stop(child),
  };
}

/** A UDP port on 127.0.0.1 that is free now. */
export async function freeUdpPort(): Promise<number> {
  const socket = createSocket("udp4");
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  const { port } = socket.address();
  socket.close();
  await once(socket, "close");
  return port;
}

class Output {
  text = "";
  readonly #child: ChildProcess;

  constructor(child: ChildProcess) {
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (chunk: Buffer) => {
        this.text += chunk.toString();
      });
    }
  }

  ready(): Promise<string> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const url = /^Tributary is ready: (http:\S+)$/m.exec(this.text)?.[1];
        if (url !== undefined) settle(() => resolve(url));
      };
      const fail = (why: string): void => settle(() => reject(new Error(`Tributary ${why}:\n${this.text}`)));
      const timer = setTimeout(() => fail("did not get ready"), READY_TIMEOUT_MS);
      const onExit = (code: number | null): void => fail(`ended with ${code} before it was ready`);
      const settle = (then: () => void): void => {
        clearTimeout(timer);
        this.#child.off("close", onExit);
        this.#child.stdout?.off("data", look);
        then();
      };
      this.#child.stdout?.on("data", look);
      this.#child.on("close", onExit);
    });
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT_MS);
  await exited;
  clearTimeout(timer);
}
