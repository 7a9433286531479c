/** diagnose: finds out why a call does not work from here, or would not work well. docs/doctor.md. */
import { CheckBoard } from "../../../core/participant/diagnosis/check-board.ts";
import { type DiagnosisReport, REPORT_SCHEMA } from "../../../core/participant/diagnosis/diagnosis-report.ts";
import type { NetworkFindings } from "../../../core/participant/diagnosis/network-checks.ts";
import { verdictOf } from "../../../core/participant/diagnosis/verdict.ts";
import { roomOfToken } from "../../session/token-room.ts";
import { RoomError } from "../api.ts";
import { checkCodecs, checkIsolation, checkSecureContext } from "./check-browser.ts";
import { checkDevice, type DeviceCheck } from "./check-devices.ts";
import type { FromNetworkWorker, NetworkQuestion } from "./network-messages.ts";

const CLIENT_NAME = "tributary-web/0.1";
const DEVICES: readonly DeviceCheck[] = ["camera", "microphone"];

export interface DiagnoseOptions {
  /** Base URL of the gateway; default: the page's own origin. */
  gateway?: string;
  /** Join token (JWT). It is used as joining would use it, and nobody is told that anybody joined. */
  token: string;
  /** Region whose relays are preferred. */
  region?: string;
  /** Devices to look at too, for which the browser asks for permission. Default: none. */
  devices?: readonly DeviceCheck[];
  /** A finished report: its other checks stay as they are and only `devices` are looked at. */
  after?: DiagnosisReport;
  /** Called whenever anything changes, with everything that is known then. */
  onProgress?(report: DiagnosisReport): void;
  /** Ends it. */
  signal?: AbortSignal;
}

/** Takes about ten seconds. Resolves whatever is found; rejects with RoomError: "aborted", or "failed" where no worker can be started. */
export async function diagnose(options: DiagnoseOptions): Promise<DiagnosisReport> {
  const abort = new AbortController();
  const { signal } = options;
  const called = new Promise<never>((_, reject) => {
    const stop = (): void => {
      abort.abort();
      reject(new RoomError("aborted", "the diagnosis was called off"));
    };
    if (signal?.aborted) stop();
    else signal?.addEventListener("abort", stop, { once: true });
  });
  return await Promise.race([new Diagnosis(options, abort.signal).run(), called]);
}

class Diagnosis {
  readonly #options: DiagnoseOptions;
  readonly #signal: AbortSignal;
  readonly #gateway: string;
  readonly #board: CheckBoard;
  readonly #startMs = performance.now();
  readonly #startedAt = new Date().toISOString();
  #progress = 0;
  #timeline: DiagnosisReport["timeline"] = [];
  #findings: NetworkFindings = { transport: "none", path: undefined };
  #isDone = false;

  constructor(options: DiagnoseOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
    this.#gateway = options.gateway ?? globalThis.location.origin;
    this.#board = new CheckBoard(() => this.#tell());
  }

  async run(): Promise<DiagnosisReport> {
    const { after, devices = [] } = this.#options;
    const board = this.#board;
    if (after === undefined) {
      checkSecureContext(board);
      checkIsolation(board);
      await checkCodecs(board);
      this.#findings = await this.#checkNetwork();
    } else {
      for (const { id, ...finding } of after.checks) board.set(id, finding);
    }
    // One after the other: each may put a question of the browser in front of the page.
    for (const device of devices) await checkDevice(board, device, this.#signal);
    board.skip(DEVICES, "Not looked at yet.");
    this.#isDone = true;
    this.#progress = 1;
    this.#tell();
    return this.#report();
  }

  /** In a worker, which is ended when it has answered, or the diagnosis is called off. */
  #checkNetwork(): Promise<NetworkFindings> {
    const { token, region } = this.#options;
    const worker = new Worker(new URL("./network-worker.ts", import.meta.url), { type: "module" });
    this.#signal.addEventListener("abort", () => worker.terminate(), { once: true });
    const question: NetworkQuestion = {
      question: { gateway: this.#gateway, token, room: roomOrNone(token), region },
      client: CLIENT_NAME,
      hasWebTransport: typeof WebTransport !== "undefined",
    };
    worker.postMessage(question);
    return new Promise((resolve, reject) => {
      worker.onmessage = ({ data }: MessageEvent<FromNetworkWorker>) => {
        if (data.type === "finding") return this.#board.set(data.id, data.finding);
        if (data.type === "progress") return this.#onProgress(data);
        worker.terminate();
        resolve(data.findings);
      };
      worker.onerror = (event) => {
        worker.terminate();
        reject(new RoomError("failed", event.message || "the worker of the diagnosis could not be started"));
      };
    });
  }

  #onProgress({ share, timeline }: Extract<FromNetworkWorker, { type: "progress" }>): void {
    this.#progress = share * 0.9;
    this.#timeline = timeline;
    this.#tell();
  }

  #tell(): void {
    if (!this.#signal.aborted) this.#options.onProgress?.(this.#report());
  }

  #report(): DiagnosisReport {
    const { after } = this.#options;
    const { path, transport } = this.#findings;
    const checks = this.#board.all;
    return {
      schema: REPORT_SCHEMA,
      startedAt: after?.startedAt ?? this.#startedAt,
      durationMs: performance.now() - this.#startMs + (after?.durationMs ?? 0),
      progress: this.#progress,
      verdict: this.#isDone ? verdictOf(checks) : undefined,
      gateway: after?.gateway ?? originOf(this.#gateway),
      transport: after?.transport ?? transport,
      checks,
      timeline: after?.timeline ?? path?.timeline ?? this.#timeline,
      environment: { client: CLIENT_NAME, userAgent: navigator.userAgent, page: location.origin },
    };
  }
}

/** A token that names no room is the gateway's to refuse. */
function roomOrNone(token: string): string {
  try {
    return roomOfToken(token);
  } catch {
    return "-";
  }
}

/** Without what an address may carry besides: a user, a password, a query. */
function originOf(url: string): string {
  return URL.canParse(url) ? new URL(url).origin : "";
}
