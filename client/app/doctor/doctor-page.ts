/** The page /doctor: runs diagnose and shows what comes of it: the verdict, a picture of the road, each check. docs/doctor.md. */
import { html, LitElement, nothing } from "lit";
import { type Check, type CheckId, type DiagnosisReport, diagnose, reportText } from "../../sdk/index.ts";
import { requestGuestToken } from "../guest-token.ts";
import { icon, mark } from "../icons.ts";
import { browserStore, loadPreferences } from "../preferences.ts";
import { controls } from "../styles/controls.ts";
import { doctorStyles } from "../styles/doctor.ts";
import { CHECK_GROUPS, CHECK_NAMES, type CheckGroup, STATE_NAMES } from "./check-text.ts";
import { parseDoctorRoute } from "./doctor-route.ts";
import { roadPicture } from "./road-picture.ts";
import { stateSymbol } from "./state-symbol.ts";
import { verdictCard } from "./verdict-card.ts";

declare global {
  interface Window {
    /** For scripts and tests: the newest report. */
    diagnosis: DiagnosisReport | undefined;
  }
}

const DEVICES = ["camera", "microphone"] as const;
const SAID_MS = 2_500;

class DoctorPage extends LitElement {
  static override properties = { report: { state: true }, busy: { state: true }, said: { state: true } };
  static override styles = [controls, doctorStyles];
  declare report: DiagnosisReport | undefined;
  declare busy: boolean;
  declare said: string;
  readonly #route = parseDoctorRoute(new URL(location.href));
  #attempt = new AbortController();
  #token: string | undefined;

  constructor() {
    super();
    this.report = undefined;
    this.busy = false;
    this.said = "";
  }

  override connectedCallback(): void {
    super.connectedCallback();
    window.addEventListener("pagehide", this.#stop);
    void this.#run();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.removeEventListener("pagehide", this.#stop);
    this.#stop();
  }

  override render() {
    const { report } = this;
    const checks = new Map((report?.checks ?? []).map((check) => [check.id, check]));
    return html`<header class="head">
        <a class="brand" href="/" aria-label="Tributary, to the start page">${mark(32)}<span>Tributary</span></a>
        <a class="button back" href=${this.#route.joinPath}>${icon("back", 19)} <span>Back to joining</span></a>
      </header>
      <main>
        ${verdictCard(
          this.busy && report?.verdict !== undefined ? { ...report, verdict: undefined } : report,
          {
            again: this.#again,
            copy: this.#copy,
            said: this.said,
          },
        )}
        ${roadPicture(checks, report)}
        <div class="groups">
          ${[false, true].map(
            (isRoad) =>
              html`<div class="column">${CHECK_GROUPS.filter(({ name }) => (name === "road-checks") === isRoad).map((group) => this.#group(group, checks))}</div>`,
          )}
        </div>
        <p class="note">
          The report has no invitation in it, and no names of your devices.
        </p>
      </main>`;
  }

  #group({ name, title, symbol, ids }: CheckGroup, checks: ReadonlyMap<CheckId, Check>) {
    const isLookedAt = ids.some((id) => !["waiting", "skipped"].includes(checks.get(id)?.state ?? "waiting"));
    return html`<section class="group ${name}">
      <h2>${icon(symbol, 20)} ${title}</h2>
      <ul>${ids.map((id) => checkRow(id, checks.get(id)))}</ul>
      ${
        name === "devices"
          ? html`<button class="button devices" ?disabled=${this.busy || this.report?.verdict === undefined} @click=${this.#checkDevices}>
              ${icon("microphone", 20)} ${isLookedAt ? "Check them again" : "Check camera and microphone"}
            </button>`
          : nothing
      }
    </section>`;
  }

  #stop = (): void => this.#attempt.abort();

  #again = (): void => {
    this.report = undefined;
    void this.#run();
  };

  #checkDevices = (): void => {
    const { report } = this;
    if (report !== undefined) void this.#run(report);
  };

  /** `after`: only devices are looked at. */
  async #run(after?: DiagnosisReport): Promise<void> {
    this.#attempt.abort();
    const attempt = new AbortController();
    this.#attempt = attempt;
    this.busy = true;
    const show = (report: DiagnosisReport): void => {
      if (attempt.signal.aborted) return;
      this.report = report;
      window.diagnosis = report;
    };
    try {
      const token = after === undefined ? await this.#findToken(attempt.signal) : "";
      const { region } = this.#route;
      const devices = after === undefined ? [] : DEVICES;
      await diagnose({
        token,
        devices,
        signal: attempt.signal,
        onProgress: show,
        ...(region === "" ? {} : { region }),
        ...(after === undefined ? {} : { after }),
      });
    } catch (error) {
      // Called off: another run has begun, or the page goes.
      if (!attempt.signal.aborted) throw error;
      return;
    }
    this.busy = false;
    await this.updateComplete;
    if (after === undefined) this.renderRoot.querySelector("h1")?.focus({ preventScroll: true });
  }

  /** Without one the gateway's answer says what is missing. */
  async #findToken(signal: AbortSignal): Promise<string> {
    const { room, token } = this.#route;
    if (token !== "") return token;
    const name = loadPreferences(browserStore()).name || "Guest";
    this.#token ??= await requestGuestToken("", room, name, signal).catch(() => undefined);
    return this.#token ?? "";
  }

  #copy = async (): Promise<void> => {
    if (this.report === undefined) return;
    try {
      await navigator.clipboard.writeText(reportText(this.report));
      this.said = "Copied";
    } catch {
      this.said = "Copying was not allowed";
    }
    setTimeout(() => {
      this.said = "";
    }, SAID_MS);
  };
}

function checkRow(id: CheckId, check: Check | undefined) {
  const { state = "waiting", message = "", advice = "", administrator = "", figures = {} } = check ?? {};
  const entries = Object.entries(figures);
  return html`<li class="check ${state}" data-check=${id} data-state=${state}>
    ${stateSymbol(state, 18)}
    <div>
      <h3>${CHECK_NAMES[id]}<span class="unseen">: ${STATE_NAMES[state]}</span></h3>
      ${message === "" ? nothing : html`<p>${message}</p>`}
      ${advice === "" ? nothing : html`<p class="advice">${advice}</p>`}
      ${administrator === "" ? nothing : html`<p class="advice">For your administrator: ${administrator}</p>`}
      ${
        entries.length === 0
          ? nothing
          : html`<details><summary>Figures</summary><dl>${entries.map(
              ([name, value]) =>
                html`<div><dt>${name}</dt><dd>${typeof value === "number" ? Math.round(value * 1000) / 1000 : String(value)}</dd></div>`,
            )}</dl></details>`
      }
    </div>
  </li>`;
}

customElements.define("tributary-doctor", DoctorPage);
