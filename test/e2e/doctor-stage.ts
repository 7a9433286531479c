/** A product, a UDP proxy before its relay, and the page /doctor in a real Chromium: for tests of what it finds out. */
import type { Page } from "playwright-core";
import type { CheckId, DiagnosisReport } from "../../core/participant/diagnosis/diagnosis-report.ts";
import type { ImpairmentOptions } from "../udp-proxy/impairment.ts";
import { UdpProxy } from "../udp-proxy/udp-proxy.ts";
import { freeUdpPort, type RunningTributary, startTributary } from "./tributary.ts";

declare global {
  interface Window {
    /** Of the page: its newest report. */
    diagnosis: DiagnosisReport | undefined;
  }
}

export interface Road {
  up?: Partial<ImpairmentOptions>;
  down?: Partial<ImpairmentOptions>;
}

const RUN_TIMEOUT_MS = 40_000;
export const ROOM = "doctor-room";

export class DoctorStage {
  readonly tributary: RunningTributary;
  readonly proxy: UdpProxy;
  readonly relayPort: number;

  private constructor(tributary: RunningTributary, proxy: UdpProxy, relayPort: number) {
    this.tributary = tributary;
    this.proxy = proxy;
    this.relayPort = relayPort;
  }

  static async open(): Promise<DoctorStage> {
    const relayPort = await freeUdpPort();
    const proxy = await UdpProxy.listen({ port: 0, targetPort: relayPort, seed: 7 });
    const env = {
      RELAY_PORT: String(relayPort),
      RELAY_PUBLIC_URL: `https://127.0.0.1:${proxy.port}`,
      RELAY_TCP_PUBLIC_URL: `https://127.0.0.1:${relayPort}`,
    };
    return new DoctorStage(await startTributary({ env }), proxy, relayPort);
  }

  /** The road to the relay from now on. */
  impair({ up = {}, down = {} }: Road): void {
    const clean = { delayMs: 0, jitterMs: 0, loss: 0, burstMs: 0, rateBps: 0, queueMs: 400 };
    this.proxy.change("up", { ...clean, ...up });
    this.proxy.change("down", { ...clean, ...down });
  }

  /** A join token, of a second's life where it is to be expired soon. */
  async token(ttlSeconds = 600): Promise<string> {
    const wish = { identity: "eve", ttlSeconds };
    const { body } = await this.tributary.api("POST", `/v1/rooms/${ROOM}/tokens`, wish);
    return (body as { token: string }).token;
  }

  /** Opens the page and waits for its verdict. */
  async run(page: Page, query: Record<string, string> = {}): Promise<Report> {
    const asked = new URLSearchParams({ room: ROOM, ...query });
    await page.goto(`${this.tributary.url}/doctor?${asked}`);
    return await reportOf(page);
  }

  async close(): Promise<void> {
    await this.tributary.stop();
    await this.proxy.close();
  }
}

export type Report = DiagnosisReport & { verdict: NonNullable<DiagnosisReport["verdict"]> };

/** Presses the button and waits for what comes of camera and microphone. */
export async function checkDevices(page: Page): Promise<Report> {
  await page.evaluate(() => {
    window.diagnosis = undefined;
  });
  await page.getByRole("button", { name: /Check (camera and microphone|them again)/ }).click();
  return await reportOf(page);
}

/** What the page came to; waits until it is done. */
export async function reportOf(page: Page): Promise<Report> {
  await page.waitForFunction(() => window.diagnosis?.verdict !== undefined, undefined, {
    timeout: RUN_TIMEOUT_MS,
  });
  return (await page.evaluate(() => window.diagnosis)) as Report;
}

/** Checks by what became of them. */
export function statesOf({ checks }: DiagnosisReport): Record<string, string> {
  return Object.fromEntries(checks.map(({ id, state }) => [id, state]));
}

export function checkOf({ checks }: DiagnosisReport, id: CheckId) {
  const check = checks.find((one) => one.id === id);
  if (check === undefined) throw new Error(`the report has no check ${id}`);
  return check;
}
