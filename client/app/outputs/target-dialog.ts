/** Asks where the room is to be sent by RTMP. `open()` shows it; fires `target` with {name, url}. */
import { html, LitElement, nothing } from "lit";
import { live } from "lit/directives/live.js";
import { icon } from "../icons.ts";
import { displayNameFrom } from "../routing.ts";
import { controls, dialogs } from "../styles/controls.ts";
import { formStyles } from "../styles/outputs.ts";
import { TARGET_PRESETS, type TargetPreset, targetUrl } from "./rtmp-target.ts";

export interface TargetWish {
  name: string;
  url: string;
}

const FIRST: TargetPreset = TARGET_PRESETS[0] ?? { name: "Custom", server: "", keyHelp: "" };

export class TargetDialog extends LitElement {
  static override properties = { preset: { state: true }, server: { state: true }, problem: { state: true } };
  static override styles = [controls, dialogs, formStyles];
  declare preset: TargetPreset;
  /** As preset, or as typed over it. */
  declare server: string;
  /** Sentence: what to correct. */
  declare problem: string;

  constructor() {
    super();
    this.preset = FIRST;
    this.server = FIRST.server;
    this.problem = "";
  }

  open(): void {
    this.renderRoot.querySelector("form")?.reset();
    this.#choose(FIRST);
    // The reset has emptied what is rendered as before.
    this.requestUpdate();
    this.renderRoot.querySelector("dialog")?.showModal();
  }

  override render() {
    const { preset } = this;
    return html`<dialog aria-labelledby="title">
      <header>
        <h2 id="title">Send the room to a service</h2>
        <button class="icon-button" aria-label="Close" @click=${this.#close}>${icon("close")}</button>
      </header>
      <form class="body" @submit=${this.#submit} autocomplete="off">
        <fieldset>
          <legend>Service</legend>
          <div class="choices">
            ${TARGET_PRESETS.map(
              (one) =>
                html`<label class="choice"
                  ><input type="radio" name="preset" .checked=${live(one === preset)} @change=${() => this.#choose(one)} /><span
                    >${one.name}</span
                  ></label
                >`,
            )}
          </div>
        </fieldset>
        <label
          >Server
          <input class="field" name="server" inputmode="url" spellcheck="false" placeholder="rtmp://host/app" required .value=${live(this.server)} @input=${this.#typed} />
        </label>
        <label
          >Stream key
          <input class="field" name="key" type="password" autocomplete="off" ?required=${preset.server !== ""} aria-describedby="key-help" />
          <small id="key-help">${preset.keyHelp}</small>
        </label>
        ${
          preset.server === ""
            ? html`<label>Name <input class="field" name="name" maxlength="64" placeholder="What to call it here" /></label>`
            : nothing
        }
        ${this.problem === "" ? nothing : html`<p class="refused" role="alert">${this.problem}</p>`}
        <div class="actions">
          <button class="button primary">${icon("send-out", 18)} Start sending</button>
        </div>
      </form>
    </dialog>`;
  }

  #choose(preset: TargetPreset): void {
    this.preset = preset;
    this.server = preset.server;
    this.problem = "";
  }

  #typed = (event: Event): void => {
    this.server = (event.target as HTMLInputElement).value;
  };

  #close = (): void => this.renderRoot.querySelector("dialog")?.close();

  #submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const fields = new FormData(form);
    const text = (name: string) => String(fields.get(name) ?? "");
    const target = targetUrl(text("server"), text("key"));
    if ("problem" in target) {
      this.problem = target.problem;
      return;
    }
    const name = this.preset.server === "" ? displayNameFrom(text("name")) : this.preset.name;
    form.reset(); // The key stays nowhere.
    this.#close();
    this.dispatchEvent(new CustomEvent<TargetWish>("target", { detail: { name, url: target.url } }));
  };
}

customElements.define("tributary-target-dialog", TargetDialog);
