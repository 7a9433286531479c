/** Diagnoses over made-up networks, gateways and relays, all on a virtual clock: what is found and what the verdict is. */
import { describe, expect, it } from "vitest";
import { SimulatedCluster } from "../../../test/sim/simulated-cluster.ts";
import { createMemorySessionPair } from "../../session/memory.ts";
import type { NetworkOptions } from "../../session/network-path.ts";
import { type Connect, SessionClosedError } from "../../session/session.ts";
import { CheckBoard } from "./check-board.ts";
import type { CheckId, CheckState, DiagnosisReport, Verdict } from "./diagnosis-report.ts";
import { checkNetwork } from "./network-checks.ts";
import { verdictOf } from "./verdict.ts";

interface World {
  up?: Partial<NetworkOptions>;
  down?: Partial<NetworkOptions>;
  /** How dialling over UDP ends; default: with a session. */
  udp?: "silent" | "refused" | "missing";
  /** The same over TCP; default: none is offered. */
  tcp?: "open" | "silent";
  /** The gateway's problem instead of an answer. */
  refusal?: { status: number; type: string };
  gateway?: "down";
  /** How far this device's clock is ahead. */
  clockOffMs?: number;
  ticket?: string;
}

interface Outcome {
  states: Record<string, CheckState>;
  codes: Record<string, string>;
  verdict: Verdict;
  transport: DiagnosisReport["transport"];
  figuresOf(id: CheckId): Record<string, unknown>;
}

async function diagnosed(world: World): Promise<Outcome> {
  const sim = new SimulatedCluster(5);
  const relay = await sim.addRelay("relay1");
  const { clock, random } = sim;
  const pause = (durationMs: number) =>
    new Promise((resolve) => clock.after(durationMs, () => resolve(undefined)));
  const session = (isReliable: boolean) => {
    const { up = {}, down = {} } = world;
    const { dialled, accepted } = createMemorySessionPair({ clock, random, up, down, isReliable });
    relay.accept(accepted);
    return dialled;
  };
  const overUdp: Connect = async (_url, { timeoutMs }) => {
    if (world.udp === "silent") await pause(Math.min(4_000, timeoutMs));
    if (world.udp !== undefined) throw new SessionClosedError("handshake failed");
    await pause(30);
    return session(false);
  };
  const overTcp: Connect = async (_url, { timeoutMs }) => {
    if (world.tcp === "silent") await pause(timeoutMs);
    if (world.tcp !== "open") throw new SessionClosedError("no answer");
    await pause(60);
    return session(true);
  };
  const answer = () => ({
    room: "room",
    identity: "eve",
    name: "eve",
    grants: {},
    relays: [
      {
        url: "https://relay1.test:4433/",
        fallbackUrl: world.tcp === undefined ? "" : "https://relay1.test:8443/",
        relayId: "relay1",
        certificateHashes: [],
        ticket: world.ticket ?? sim.ticket({ identity: "eve" }),
      },
    ],
    expiresAt: new Date(clock.nowUs() / 1000 + 60_000 - (world.clockOffMs ?? 0)).toISOString(),
  });
  const board = new CheckBoard(() => undefined);
  const { transport } = await clock.until(
    checkNetwork(board, {
      question: { gateway: "https://gateway.test", token: "secret-token", room: "room" },
      request: async () => {
        await pause(20);
        if (world.gateway === "down") throw new TypeError("Failed to fetch");
        const { refusal } = world;
        const body = refusal ? { type: `/v1/docs#${refusal.type}`, detail: "because" } : answer();
        return { ok: refusal === undefined, status: refusal?.status ?? 200, json: async () => body };
      },
      connect: world.udp === "missing" ? undefined : overUdp,
      connectFallback: overTcp,
      clock,
      random,
      client: "test",
      onProgress: () => undefined,
    }),
    40_000,
  );
  const checks = board.all;
  // Of the browser nothing was looked at here.
  expect(checks.filter(({ state }) => state === "running")).toEqual([]);
  expect(JSON.stringify(checks)).not.toMatch(/secret-token|"jti|ticket-1/);
  return {
    states: Object.fromEntries(checks.map(({ id, state }) => [id, state])),
    codes: Object.fromEntries(checks.filter(({ code }) => code !== "").map(({ id, code }) => [id, code])),
    verdict: verdictOf(checks),
    transport,
    figuresOf: (id) => board.get(id).figures,
  };
}

const GOOD = { delayMs: 15 };

describe("the road", () => {
  it.each<{ what: string; world: World; bad: string[]; level: Verdict["level"] }>([
    { what: "a good one", world: { up: GOOD, down: GOOD }, bad: [], level: "well" },
    { what: "2 % of loss", world: { up: { loss: 0.01 }, down: { loss: 0.01 } }, bad: [], level: "well" },
    { what: "6 % of loss up", world: { up: { loss: 0.06 }, down: GOOD }, bad: ["loss"], level: "limits" },
    { what: "20 % of loss down", world: { up: GOOD, down: { loss: 0.2 } }, bad: ["loss"], level: "limits" },
    { what: "45 % of loss", world: { up: { loss: 0.45 }, down: GOOD }, bad: ["loss"], level: "cannot" },
    {
      what: "140 ms there and back",
      world: { up: { delayMs: 70 }, down: { delayMs: 70 } },
      bad: [],
      level: "well",
    },
    {
      what: "a satellite",
      world: { up: { delayMs: 290 }, down: { delayMs: 290 } },
      bad: ["round-trip"],
      level: "limits",
    },
    {
      what: "an unsteady network",
      world: { up: { delayMs: 10, jitterMs: 160 }, down: GOOD },
      bad: ["jitter"],
      level: "limits",
    },
    {
      what: "700 kbit/s up",
      world: { up: { rateBps: 700_000 }, down: GOOD },
      bad: ["upload"],
      level: "limits",
    },
    {
      what: "500 kbit/s down",
      world: { up: GOOD, down: { rateBps: 500_000 } },
      bad: ["download"],
      level: "limits",
    },
    {
      what: "2 Mbit/s both ways",
      world: { up: { rateBps: 2e6 }, down: { rateBps: 2e6 } },
      bad: [],
      level: "well",
    },
  ])("$what: $level", async ({ world, bad, level }) => {
    const { states, verdict, transport } = await diagnosed(world);
    const found = Object.keys(states).filter((id) => ["warning", "failed"].includes(states[id]!));
    expect({ found, level: verdict.level }).toEqual({ found: bad, level });
    expect(verdict.reasons).toHaveLength(bad.length);
    expect(verdict.advice.length > 0).toBe(bad.length > 0);
    expect(transport).toBe("webtransport");
  });

  it("a modem: nothing fits", async () => {
    const { verdict, states, codes } = await diagnosed({
      up: { rateBps: 40_000, queueMs: 2_000 },
      down: GOOD,
    });
    expect(verdict.level).toBe("cannot");
    expect(states.upload).toBe("failed");
    // It is the queue that makes it slow, not the distance.
    expect(codes["round-trip"]).toBe("queue");
  });
});

describe("ways to a relay", () => {
  it.each<{ world: World; code: string }>([
    { world: { udp: "silent" }, code: "no-answer" },
    { world: { udp: "refused" }, code: "refused" },
  ])("UDP that is $world.udp, and no TCP: the administrator is told which port", async ({ world, code }) => {
    const { verdict, codes, states, transport } = await diagnosed(world);
    expect(verdict.level).toBe("cannot");
    expect(codes.udp).toBe(code);
    expect(states).toMatchObject({ echo: "skipped", loss: "skipped", upload: "skipped" });
    expect(verdict.administrator[0]).toContain("UDP port 4433 to relay1.test");
    expect(verdict.administrator.join()).toContain("TCP");
    expect(transport).toBe("none");
  });

  it.each<"silent" | "missing">(["silent", "missing"])(
    "UDP that is %s, and TCP that works: with limits, measured over TCP",
    async (udp) => {
      const { verdict, states, transport, figuresOf } = await diagnosed({
        udp,
        tcp: "open",
        up: GOOD,
        down: GOOD,
      });
      expect(verdict.level).toBe("limits");
      expect(states).toMatchObject({ fallback: "ok", echo: "ok", "round-trip": "ok", upload: "ok" });
      expect(states[udp === "missing" ? "webtransport" : "udp"]).toBe("failed");
      expect(transport).toBe("websocket");
      expect(figuresOf("round-trip").p50Ms).toBeCloseTo(30, 0);
      expect(figuresOf("upload").bps).toBeGreaterThan(2_000_000);
    },
  );

  it.each([300_000, 800_000])("over TCP a narrow uplink of %d bit/s is seen too", async (rateBps) => {
    const up = { delayMs: 20, rateBps };
    const { states, codes, figuresOf } = await diagnosed({ udp: "silent", tcp: "open", up, down: GOOD });
    expect(states).toMatchObject({ fallback: "ok", loss: "ok", upload: "warning", download: "ok" });
    expect(codes.upload).toBe("slow-upload");
    expect(Number(figuresOf("upload").bps) / rateBps).toBeGreaterThan(0.7);
    expect(Number(figuresOf("upload").bps) / rateBps).toBeLessThan(1.05);
  });

  it("neither: which ports, of both", async () => {
    const { verdict, states } = await diagnosed({ udp: "silent", tcp: "silent" });
    expect(verdict.level).toBe("cannot");
    expect(states).toMatchObject({ udp: "failed", fallback: "failed" });
    expect(verdict.administrator.join()).toMatch(/UDP port 4433.*TCP port 8443/);
  });

  it("TCP that is blocked where UDP works spoils nothing", async () => {
    const { verdict, states } = await diagnosed({ tcp: "silent", up: GOOD, down: GOOD });
    expect(states.fallback).toBe("failed");
    expect(verdict).toMatchObject({ level: "well", reasons: [] });
  });

  it("datagrams that are swallowed behind a handshake that works are a way that does not", async () => {
    const swallowed = { up: { loss: 1 }, down: { loss: 1 } };
    const { verdict, states, codes } = await diagnosed(swallowed);
    expect(verdict.level).toBe("cannot");
    expect([states.udp, codes.udp]).toEqual(["failed", "no-echo"]);
    expect(states.loss).toBe("skipped");
  });

  it("a ticket that the relay does not take", async () => {
    const { verdict, codes } = await diagnosed({ ticket: "not one" });
    expect(verdict.level).toBe("cannot");
    expect(codes.echo).toBe("ticket-malformed");
  });
});

describe("the gateway", () => {
  it.each([
    { type: "token-expired", status: 401, check: "token" },
    { type: "token-refused", status: 401, check: "token" },
    { type: "token-malformed", status: 401, check: "token" },
    { type: "token-other-room", status: 403, check: "token" },
    { type: "removed", status: 403, check: "token" },
    { type: "rate-limited", status: 429, check: "gateway" },
    { type: "no-relay", status: 503, check: "gateway" },
    { type: "internal-error", status: 500, check: "gateway" },
  ])("says $type: $check", async ({ type, status, check }) => {
    const { verdict, states, codes } = await diagnosed({ refusal: { status, type } });
    expect(verdict.level).toBe("cannot");
    expect(codes).toEqual({ [check]: type });
    expect(states[check]).toBe("failed");
    expect(states).toMatchObject({ udp: "skipped", fallback: "skipped", echo: "skipped" });
    expect(verdict.advice).toHaveLength(1);
  });

  it("does not answer", async () => {
    const { verdict, codes } = await diagnosed({ gateway: "down" });
    expect(verdict.level).toBe("cannot");
    expect(codes.gateway).toBe("gateway-unreachable");
    expect(verdict.administrator.join()).toContain("HTTPS to gateway.test");
  });

  it.each([-3_600_000, 86_400_000])("a clock that is off by %d ms is said", async (clockOffMs) => {
    const { codes, verdict } = await diagnosed({ clockOffMs, up: GOOD, down: GOOD });
    expect(codes).toMatchObject({ gateway: "wrong-clock" });
    expect(verdict.advice.join()).toMatch(/clock/);
  });
});
