/** What the gateway's answer to a join says about gateway and token, in words. */
import { type GatewayAnswer, GatewayError } from "../joining/gateway-join.ts";
import type { CheckBoard, Finding } from "./check-board.ts";
import { ms } from "./path-findings.ts";
import { gradeOf, THRESHOLDS } from "./thresholds.ts";

/** A certificate is valid in its time only; a clock that is off by more than this makes good ones look bad. */
const WRONG_CLOCK_MS = 10 * 60_000;

const NEW_LINK = "Ask for a new invitation link.";

/** Refusals that are about the token: what they say, and what to do. */
const TOKEN_REFUSALS: Readonly<Record<string, { message: string; advice: string; administrator?: string }>> =
  {
    "token-expired": {
      message: "The invitation has expired, or is not valid yet.",
      advice: `${NEW_LINK} If new ones expire at once, set this device’s clock.`,
    },
    "token-malformed": {
      message: "The invitation is damaged: what it carries is no join token.",
      advice: "Copy the whole link again, or ask for a new one.",
    },
    "token-refused": {
      message: "The gateway does not trust whoever made this invitation.",
      advice: NEW_LINK,
      administrator:
        "The key that signs join tokens is not one of this gateway’s: compare TRIBUTARY_API_KEYS or the JWKS.",
    },
    "token-other-room": { message: "The invitation is for another room.", advice: NEW_LINK },
    "credentials-missing": {
      message: "There is no invitation.",
      advice: "Open the link that you were sent.",
    },
    removed: {
      message: "You were removed from this room.",
      advice: "Ask the host to let you in again, with a new invitation.",
    },
  };

/** Other refusals; the token may be good. */
const GATEWAY_REFUSALS: Readonly<
  Record<string, { message: string; advice: string; administrator?: string }>
> = {
  "rate-limited": {
    message: "The gateway has had too many requests from this network.",
    advice: "Wait a minute, then run this again.",
  },
  "origin-not-allowed": {
    message: "The gateway takes no requests from this page’s address.",
    advice: "Open the page that you were sent, not a copy of it.",
    administrator: "Add this page’s origin to TRIBUTARY_ALLOWED_ORIGINS.",
  },
  "no-relay": {
    message: "The gateway knows of no relay that is up.",
    advice: "Try again in a few minutes.",
    administrator: "No relay is registered: see that relays run and reach the directory.",
  },
};

export function noteAnswer(
  board: CheckBoard,
  answer: GatewayAnswer,
  tookMs: number,
  clockOffMs: number,
): void {
  const state = gradeOf(tookMs, THRESHOLDS.gatewayMs);
  const found = `The gateway answered in ${ms(tookMs)}.`;
  const figures = { answerMs: tookMs, relays: answer.relays.length, clockOffMs };
  if (Math.abs(clockOffMs) > WRONG_CLOCK_MS) {
    board.set("gateway", {
      state: "warning",
      code: "wrong-clock",
      figures,
      message: `${found} This device’s clock is wrong by ${Math.round(Math.abs(clockOffMs) / 60_000)} minutes.`,
      advice: "Set the clock: connections are refused while it is wrong.",
    });
  } else {
    const slow: Partial<Finding> =
      state === "ok" ? {} : { code: "slow", advice: "Joining will take as long. Run this again in a while." };
    board.set("gateway", { state, figures, message: found, ...slow });
  }
  board.set("token", { state: "ok", message: "Your invitation is good." });
}

/** `host`: of the gateway. */
export function noteRefusal(board: CheckBoard, error: unknown, tookMs: number, host: string): void {
  const code = error instanceof GatewayError ? error.code : "failed";
  const figures = { answerMs: tookMs };
  const ofToken = TOKEN_REFUSALS[code];
  if (ofToken !== undefined) {
    board.set("gateway", { state: "ok", figures, message: `The gateway answered in ${ms(tookMs)}.` });
    board.set("token", { state: "failed", code, administrator: "", ...ofToken });
    return;
  }
  board.set("gateway", { state: "failed", code, figures, ...refusalOf(code, error, host) });
}

function refusalOf(code: string, error: unknown, host: string): Omit<Finding, "state"> {
  if (code === "gateway-unreachable") {
    return {
      message: `The gateway at ${host} does not answer.`,
      advice:
        "See whether other web pages open. If they do, try again in a few minutes, or from another network.",
      administrator: `Allow HTTPS to ${host}; if that is open, see whether the gateway runs and lets this page’s origin in (TRIBUTARY_ALLOWED_ORIGINS).`,
    };
  }
  const known = GATEWAY_REFUSALS[code];
  if (known !== undefined) return known;
  const detail = error instanceof Error ? error.message : String(error);
  return {
    message: `The gateway did not let you in (${code}): ${detail}`,
    advice: "Try again in a few minutes.",
    administrator: "See the gateway’s log.",
  };
}
