/**
 * The part of a diagnosis that is about the network: gateway, token, relays over UDP, what the way to one is like, and the way over
 * TCP. Runtime-free: whoever runs it hands in how to ask and how to dial.
 */
import type { Clock, Random } from "../../clock.ts";
import type { Connect, Session } from "../../session/session.ts";
import { bytesOfBase64 } from "../../wire/base64.ts";
import { CLOSE_CODES } from "../../wire/close-codes.ts";
import { RELAY_TICKET_SECONDS } from "../../wire/limits.ts";
import {
  fetchJoin,
  type GatewayAnswer,
  type JoinQuestion,
  type JoinRequest,
} from "../joining/gateway-join.ts";
import type { RelayCandidate } from "../participant-api.ts";
import type { CheckBoard } from "./check-board.ts";
import type { CheckId, DiagnosisReport } from "./diagnosis-report.ts";
import type { EchoMoment } from "./echo-log.ts";
import { noteAnswer, noteRefusal } from "./gateway-findings.ts";
import { notePath, PATH_CHECKS } from "./path-findings.ts";
import { measurePath, type PathFigures } from "./path-measurement.ts";
import {
  failureAfter,
  fallbackFails,
  fallbackWorks,
  pathFailure,
  placeOf,
  type Reached,
  udpFinding,
} from "./reach-findings.ts";

/** Chromium gives a silent handshake up after 4 s by itself. */
const CONNECT_TIMEOUT_MS = 6_000;
/** Five seconds of measuring in all. */
const STEADY_MS = 2_600;
const LOAD_MS = 1_200;
/** The way over TCP beside a good one over UDP: whether it works, no more. */
const GLANCE_MS = 600;

export interface NetworkDiagnosisOptions<Signal> {
  question: JoinQuestion;
  request: JoinRequest<Signal>;
  /** Over UDP; undefined = this runtime has no WebTransport. */
  connect: Connect | undefined;
  /** Over TCP, given the relay's address for it; undefined = this runtime cannot. */
  connectFallback: Connect | undefined;
  clock: Clock;
  random: Random;
  /** Name and version of the software. */
  client: string;
  /** Of the measuring: how far it is (0..1), and the echoes so far. */
  onProgress(share: number, timeline: EchoMoment[]): void;
}

export interface NetworkFindings {
  transport: DiagnosisReport["transport"];
  path: PathFigures | undefined;
}

const AFTER_GATEWAY: readonly CheckId[] = ["token", "udp", ...PATH_CHECKS, "fallback"];

/** Ends every check of the network. Never rejects. */
export async function checkNetwork<Signal extends { aborted: boolean }>(
  board: CheckBoard,
  options: NetworkDiagnosisOptions<Signal>,
): Promise<NetworkFindings> {
  const checks = new NetworkChecks(board, options);
  return await checks.run();
}

class NetworkChecks<Signal extends { aborted: boolean }> {
  readonly #board: CheckBoard;
  readonly #options: NetworkDiagnosisOptions<Signal>;

  constructor(board: CheckBoard, options: NetworkDiagnosisOptions<Signal>) {
    this.#board = board;
    this.#options = options;
  }

  async run(): Promise<NetworkFindings> {
    const board = this.#board;
    const { connect } = this.#options;
    board.set("webtransport", webtransportFinding(connect !== undefined));
    const answer = await this.#askGateway();
    if (answer === undefined) {
      board.skip(AFTER_GATEWAY, "Not looked at: the gateway says where the relays are.");
      return { transport: "none", path: undefined };
    }
    if (connect === undefined) board.skip(["udp"], "Not tried: it takes WebTransport.");
    const overUdp = connect && (await this.#checkUdp(connect, answer.relays));
    const isUdp = board.stateOf("udp") === "ok" || board.stateOf("udp") === "warning";
    const overTcp = await this.#checkFallback(answer.relays, isUdp);
    const path = overUdp ?? overTcp;
    board.skip(PATH_CHECKS, "Not measured: there is no connection to a relay.");
    const isTcp = board.stateOf("fallback") === "ok";
    return { transport: isUdp ? "webtransport" : isTcp ? "websocket" : "none", path };
  }

  async #askGateway(): Promise<GatewayAnswer | undefined> {
    const { question, clock } = this.#options;
    this.#board.run("gateway");
    const startUs = clock.nowUs();
    const tookMs = (): number => (clock.nowUs() - startUs) / 1000;
    try {
      const answer = await this.#join();
      noteAnswer(this.#board, answer, tookMs(), clockOff(answer, clock));
      return answer;
    } catch (error) {
      const { host, port } = placeOf(question.gateway);
      noteRefusal(this.#board, error, tookMs(), port === "443" ? host : `${host}:${port}`);
      return undefined;
    }
  }

  #join(): Promise<GatewayAnswer> {
    const { request, question } = this.#options;
    return fetchJoin(request, question);
  }

  async #checkUdp(connect: Connect, relays: readonly RelayCandidate[]): Promise<PathFigures | undefined> {
    const board = this.#board;
    board.run("udp");
    const candidates = relays.filter(({ url }) => url !== "");
    const dialled = await Promise.all(candidates.map((relay) => this.#dial(connect, relay, relay.url)));
    board.set("udp", udpFinding(dialled));
    const [first, ...others] = dialled.filter(({ session }) => session !== undefined);
    for (const { session } of others) session?.close(CLOSE_CODES.normal, "seen");
    if (first?.session === undefined) return undefined;
    return await this.#measure(first.session, first.relay, false);
  }

  async #dial(
    connect: Connect,
    relay: RelayCandidate,
    url: string,
  ): Promise<Reached & { session?: Session }> {
    const { clock } = this.#options;
    const startUs = clock.nowUs();
    const certificateHashes = relay.certificateHashes.map(bytesOfBase64);
    try {
      const session = await connect(url, { certificateHashes, timeoutMs: CONNECT_TIMEOUT_MS });
      return { relay, tookMs: (clock.nowUs() - startUs) / 1000, failure: undefined, session };
    } catch {
      // What it says is the same for every cause; how long it took is what tells.
      const tookMs = (clock.nowUs() - startUs) / 1000;
      return { relay, tookMs, failure: failureAfter(tookMs) };
    }
  }

  /** Over UDP, or over TCP where that is all there is: the figures count. */
  async #measure(
    session: Session,
    relay: RelayCandidate,
    isReliable: boolean,
  ): Promise<PathFigures | undefined> {
    const { clock, random, client, onProgress } = this.#options;
    const board = this.#board;
    board.run(...PATH_CHECKS);
    try {
      const path = await measurePath({
        session,
        clock,
        random,
        client,
        ticket: relay.ticket,
        steadyMs: STEADY_MS,
        loadMs: LOAD_MS,
        onProgress,
      });
      notePath(board, path, isReliable);
      board.skip(PATH_CHECKS, "Not measured: the network was too slow for it.");
      return path;
    } catch (error) {
      const finding = pathFailure(error);
      // A way that swallows datagrams is none; the one over TCP may be measured in its place.
      if (finding.code === "no-echo" && !isReliable) board.set("udp", finding);
      else board.set("echo", finding);
      board.skip(PATH_CHECKS, "Not measured.");
      return undefined;
    }
  }

  async #checkFallback(
    relays: readonly RelayCandidate[],
    isOnlyALook: boolean,
  ): Promise<PathFigures | undefined> {
    const { connectFallback } = this.#options;
    const board = this.#board;
    if (connectFallback === undefined || relays.every(({ fallbackUrl }) => fallbackUrl === "")) {
      board.set("fallback", {
        state: "skipped",
        code: "not-offered",
        message: "This relay offers no way over TCP.",
        administrator: isOnlyALook
          ? ""
          : "Relays can take calls over TCP too, for networks without UDP (docs/operating.md).",
      });
      return undefined;
    }
    board.run("fallback");
    // The ticket of before is used up.
    const again = await this.#join().catch(() => undefined);
    const relay = again?.relays.find(({ fallbackUrl }) => fallbackUrl !== "");
    if (relay === undefined) {
      board.skip(["fallback"], "Not looked at: the gateway gave no second ticket.");
      return undefined;
    }
    const { session, tookMs } = await this.#dial(connectFallback, relay, relay.fallbackUrl);
    if (session === undefined) {
      board.set("fallback", fallbackFails(relay, tookMs, !isOnlyALook));
      return undefined;
    }
    if (!isOnlyALook) {
      board.set("fallback", fallbackWorks(relay, tookMs));
      return await this.#measure(session, relay, true);
    }
    await this.#glance(session, relay, tookMs);
    return undefined;
  }

  /** Whether datagrams come back over TCP; the figures that count are those over UDP. */
  async #glance(session: Session, relay: RelayCandidate, tookMs: number): Promise<void> {
    const { clock, random, client } = this.#options;
    const lengths = { steadyMs: GLANCE_MS, loadMs: 0 };
    const onProgress = (): void => undefined;
    const { ticket } = relay;
    try {
      const path = await measurePath({ session, clock, random, client, ticket, ...lengths, onProgress });
      const finding = fallbackWorks(relay, tookMs);
      this.#board.set("fallback", { ...finding, figures: { ...finding.figures, p50Ms: path.rttMs.p50 } });
    } catch (error) {
      this.#board.set("fallback", { ...pathFailure(error), state: "failed" });
    }
  }
}

/** How far our clock is ahead of the gateway's, ms: tickets live for a known time from its now. */
function clockOff({ expiresAt }: GatewayAnswer, clock: Clock): number {
  if (expiresAt === undefined) return 0;
  return clock.nowUs() / 1000 - (Date.parse(expiresAt) - RELAY_TICKET_SECONDS * 1000);
}

function webtransportFinding(isThere: boolean) {
  if (isThere) return { state: "ok", message: "The browser has WebTransport." } as const;
  return {
    state: "failed",
    code: "missing",
    message: "This browser has no WebTransport, so calls cannot go over UDP.",
    advice: "Use a current Chrome, Edge or Firefox.",
  } as const;
}
