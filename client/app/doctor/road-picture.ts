/** What people look at before they read: which ways are open, the four figures of the road, and round trips over time. */
import { html, nothing } from "lit";
import type { Check, CheckId, CheckState, DiagnosisReport } from "../../sdk/index.ts";
import { type IconName, icon } from "../icons.ts";
import { figure, STATE_NAMES, writeMs, writeRate, writeShare } from "./check-text.ts";
import { echoChart } from "./echo-chart.ts";
import { stateSymbol } from "./state-symbol.ts";

type Checks = ReadonlyMap<CheckId, Check>;

export function roadPicture(checks: Checks, report: DiagnosisReport | undefined) {
  const isDone = report?.verdict !== undefined;
  const isMeasured = checks.get("round-trip")?.figures.p50Ms !== undefined;
  return html`<section class="road" aria-label="At a glance">
    <ul class="ways">
      ${way(checks, ["gateway", "token"], "link", "Gateway (HTTPS)")}
      ${way(checks, ["udp"], "broadcast", "Relay over UDP")}
      ${way(checks, ["fallback"], "broadcast", "Relay over TCP")}
    </ul>
    ${isDone && !isMeasured ? nothing : tiles(checks)}
    ${(report?.timeline.length ?? 0) < 2 ? nothing : echoChart(report?.timeline ?? [])}
  </section>`;
}

/** From this device to there. */
function way(checks: Checks, ids: readonly CheckId[], symbol: IconName, name: string) {
  const state = worstOf(checks, ids);
  return html`<li class="way ${state}">
    ${icon("screen", 22)}<i></i>${stateSymbol(state, 16)}<i></i>${icon(symbol, 22)}
    <span>${name}<span class="unseen">: ${STATE_NAMES[state]}</span></span>
  </li>`;
}

function tiles(checks: Checks) {
  const get = (id: CheckId) => checks.get(id);
  const late = figure(get("round-trip"), "p95Ms", writeMs);
  const loss = get("loss");
  const [up, down] = [figure(loss, "upShare", writeShare), figure(loss, "downShare", writeShare)];
  return html`<dl class="tiles">
    ${tile(checks, ["round-trip", "jitter"], "Round trip", figure(get("round-trip"), "p50Ms", writeMs), late === "–" ? "" : `95 % within ${late}`)}
    ${tile(checks, ["loss"], "Lost", worstLoss(loss), up === "–" ? "" : `${up} up, ${down} down`)}
    ${tile(checks, ["upload"], "Upload", figure(get("upload"), "bps", writeRate), atLeast(get("upload")))}
    ${tile(checks, ["download"], "Download", figure(get("download"), "bps", writeRate), atLeast(get("download")))}
  </dl>`;
}

function tile(checks: Checks, ids: readonly CheckId[], name: string, value: string, more: string) {
  const state = worstOf(checks, ids);
  return html`<div class="tile ${state}">
    <dt>${name} ${stateSymbol(state, 16)}</dt>
    <dd><b>${value}</b>${more === "" ? nothing : html`<span>${more}</span>`}</dd>
  </div>`;
}

function worstOf(checks: Checks, ids: readonly CheckId[]): CheckState {
  const states = ids.map((id) => checks.get(id)?.state ?? "waiting");
  return (
    (["failed", "warning", "running", "ok", "skipped"] as const).find((one) => states.includes(one)) ??
    "waiting"
  );
}

function worstLoss(loss: Check | undefined): string {
  const shares = ["upShare", "downShare"]
    .map((name) => loss?.figures[name])
    .filter((one) => typeof one === "number");
  return shares.length === 0 ? "–" : writeShare(Math.max(...shares));
}

function atLeast(check: Check | undefined): string {
  return check?.figures.isLimited === false ? "or more" : "";
}
