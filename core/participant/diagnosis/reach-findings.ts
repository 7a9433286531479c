/** What became of dialling relays, over UDP and over TCP, in words for people and for whoever runs their network. */
import type { RelayCandidate } from "../participant-api.ts";
import type { Finding } from "./check-board.ts";
import { ms } from "./path-findings.ts";
import { PathError } from "./path-measurement.ts";
import { gradeOf, THRESHOLDS } from "./thresholds.ts";

/** A handshake that nobody answers fails late (Chromium: after 4 s); one that is turned away fails within a round trip or two. */
const NO_ANSWER_AFTER_MS = 2_500;

export interface Reached {
  relay: RelayCandidate;
  tookMs: number;
  /** Undefined = a session was opened. */
  failure: "no-answer" | "refused" | undefined;
}

export function failureAfter(tookMs: number): "no-answer" | "refused" {
  return tookMs > NO_ANSWER_AFTER_MS ? "no-answer" : "refused";
}

/** `relay.example.org`, `4433`. Core has no URL; the gateway checked that it is one. */
export function placeOf(url: string): { host: string; port: string } {
  const match = /^https?:\/\/(\[[^\]]+\]|[^/:?#]+)(?::(\d+))?/.exec(url);
  return { host: match?.[1] ?? url, port: match?.[2] ?? "443" };
}

function placesOf(reached: readonly Reached[]): string {
  const places = reached.map(({ relay }) => placeOf(relay.url));
  return places.map(({ host, port }) => `UDP port ${port} to ${host}`).join(", ");
}

export function udpFinding(reached: readonly Reached[]): Finding {
  const failed = reached.filter(({ failure }) => failure !== undefined);
  const figures: Record<string, number | string | boolean> = {};
  for (const [index, { relay, tookMs, failure }] of reached.entries()) {
    const { host, port } = placeOf(relay.url);
    figures[`relay${index + 1}`] = `${host}:${port}`;
    figures[`relay${index + 1}Result`] = failure ?? "open";
    figures[`relay${index + 1}Ms`] = tookMs;
  }
  if (reached.length === 0) {
    return {
      state: "failed",
      code: "no-udp",
      message: "No relay here takes connections over UDP.",
      administrator: "The relays have no UDP: calls go over TCP, with more delay on bad networks.",
    };
  }
  if (failed.length === reached.length) return { figures, ...blocked(reached) };
  const best = Math.min(
    ...reached.filter(({ failure }) => failure === undefined).map(({ tookMs }) => tookMs),
  );
  const found = `A relay answered over UDP in ${ms(best)}.`;
  if (failed.length > 0) {
    return {
      state: "warning",
      code: "some-relays",
      figures,
      message: `${found} ${failed.length} of ${reached.length} did not.`,
      advice: "You can call; should the relay fail, going on with another one may take longer.",
      administrator: `Open ${placesOf(failed)}, both ways, or see why the relay does not answer there.`,
    };
  }
  if (gradeOf(best, THRESHOLDS.connectMs) === "ok") return { state: "ok", figures, message: found };
  return { state: "warning", code: "slow", figures, message: found, advice: "Joining will take as long." };
}

function blocked(reached: readonly Reached[]): Finding {
  const place = placesOf(reached);
  if (reached.some(({ failure }) => failure === "no-answer")) {
    return {
      state: "failed",
      code: "no-answer",
      message: "The relay does not answer over UDP: this network seems to block it.",
      advice: "Try another network, such as a phone’s hotspot, or switch a VPN or firewall off.",
      administrator: `Open ${place}, both ways (QUIC, HTTP/3).`,
    };
  }
  return {
    state: "failed",
    code: "refused",
    message:
      "The connection to the relay over UDP was turned away at once: by a firewall, because nothing listens there, or because the relay’s certificate is not accepted.",
    advice: "Try another network. If that changes nothing, see that this device’s clock is right.",
    administrator: `Open ${place} (QUIC, HTTP/3). If it is open: see that the relay runs, and that its certificate is in date and is for this host.`,
  };
}

/** The relay was reached and does not measure with us, or stopped. */
export function pathFailure(error: unknown): Finding {
  const reason = error instanceof PathError ? error.reason : "lost";
  const text = error instanceof Error ? error.message : String(error);
  if (reason === "no-echo") {
    return {
      state: "failed",
      code: reason,
      message: "The relay was reached, but not one datagram came back.",
      advice: "Try another network, or switch a VPN off.",
      administrator: "UDP packets of about 1,200 bytes must pass both ways: look at MTU and at middleboxes.",
    };
  }
  if (reason === "relay-full" || reason === "draining") {
    return {
      state: "warning",
      code: reason,
      message: "The relay was reached and had no time to measure.",
      advice: "Run this again in a minute.",
    };
  }
  if (reason.startsWith("ticket-")) {
    return {
      state: "failed",
      code: reason,
      message: `The relay did not take the gateway’s ticket: ${text}.`,
      advice: "Try again in a few minutes.",
      administrator:
        "Relay and gateway disagree: compare their clocks, and TRIBUTARY_TICKET_JWKS of the relay.",
    };
  }
  if (reason === "protocol-error" || reason === "unsupported-version") {
    return {
      state: "warning",
      code: reason,
      message: "The relay is of a version that does not measure.",
      administrator: "Bring the relays up to date.",
    };
  }
  return {
    state: "failed",
    code: reason,
    message: `The connection broke while it was measured: ${text}.`,
    advice: "Move closer to your Wi-Fi router or try another network, then run this again.",
  };
}

/** A session over TCP was opened, and datagrams came back where it was looked for. */
export function fallbackWorks(relay: RelayCandidate, tookMs: number): Finding {
  const message = `A relay answered over TCP in ${ms(tookMs)}.`;
  return { state: "ok", figures: tcpFigures(relay, tookMs), message };
}

/** `isNeeded`: there is no way over UDP. */
export function fallbackFails(relay: RelayCandidate, tookMs: number, isNeeded: boolean): Finding {
  const figures = tcpFigures(relay, tookMs);
  // Hashes make browsers take a certificate of the relay's own over UDP; over TCP nothing does.
  if (relay.certificateHashes.length > 0 && failureAfter(tookMs) === "refused") {
    return {
      state: isNeeded ? "failed" : "skipped",
      code: "own-certificate",
      figures,
      message: "Over TCP the relay has a certificate of its own, which browsers do not trust.",
      administrator:
        "For calls over TCP give the relay a certificate that browsers trust (docs/operating.md).",
    };
  }
  const { host, port } = placeOf(relay.fallbackUrl);
  return {
    state: "failed",
    code: "no-answer",
    figures,
    message: `The relay does not answer over TCP${isNeeded ? " either" : ""}.`,
    advice: "Try another network, such as a phone’s hotspot.",
    administrator: `Open TCP port ${port} to ${host} (TLS, WebSocket).`,
  };
}

function tcpFigures(relay: RelayCandidate, openMs: number): Record<string, number | string> {
  const { host, port } = placeOf(relay.fallbackUrl);
  return { relay: `${host}:${port}`, openMs };
}
