/** The top of the page: while it runs how far it is, then the verdict: whether one can call, why, and what to do. */
import { html, nothing } from "lit";
import type { DiagnosisReport, Verdict } from "../../sdk/index.ts";
import { icon } from "../icons.ts";
import { runningText } from "./check-text.ts";

const SYMBOLS = { well: "check", limits: "warning", cannot: "close" } as const;
const SUMMARIES = {
  well: "Everything that a call needs works from here.",
  limits: "A call works from here, not as well as it could.",
  cannot: "Something that a call needs does not work from here.",
} as const;

export interface VerdictActions {
  again(): void;
  copy(): void;
  /** Set for a while after it was copied. */
  said: string;
}

export function verdictCard(report: DiagnosisReport | undefined, actions: VerdictActions) {
  const verdict = report?.verdict;
  if (report === undefined || verdict === undefined) return runningCard(report);
  const { level, title, reasons } = verdict;
  return html`<section class="verdict ${level}" aria-labelledby="verdict-title">
    <div class="seal">${icon(SYMBOLS[level], 40)}</div>
    <div class="words">
      <h1 id="verdict-title" tabindex="-1">${title}</h1>
      ${reasons.length === 0 ? html`<p>${SUMMARIES[level]}</p>` : html`<ul class="reasons">${reasons.map((reason) => html`<li>${reason}</li>`)}</ul>`}
      ${adviceOf(verdict)}
      <div class="actions">
        <button class="button primary" @click=${actions.again}>${icon("again", 20)} Run again</button>
        <button class="button" @click=${actions.copy}>
          ${icon(actions.said === "" ? "copy" : "check", 20)} <span aria-live="polite">${actions.said || "Copy report"}</span>
        </button>
      </div>
    </div>
  </section>`;
}

function adviceOf({ advice, administrator }: Verdict) {
  return html`${
    advice.length === 0
      ? nothing
      : html`<div class="todo"><h2>What you can do</h2><ul>${advice.map((one) => html`<li>${one}</li>`)}</ul></div>`
  }${
    administrator.length === 0
      ? nothing
      : html`<div class="todo"><h2>For your administrator</h2><ul>${administrator.map((one) => html`<li>${one}</li>`)}</ul></div>`
  }`;
}

function runningCard(report: DiagnosisReport | undefined) {
  const share = report?.progress ?? 0;
  return html`<section class="verdict running" aria-busy="true">
    <div class="seal"><span class="turning"></span></div>
    <div class="words">
      <h1 tabindex="-1">Checking your connection</h1>
      <p role="status">${runningText(report?.checks ?? [])}</p>
      <progress max="1" .value=${share} aria-label="Progress"></progress>
    </div>
  </section>`;
}
