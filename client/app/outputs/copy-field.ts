/** A value to take into another program: shown, or hidden where it is secret until asked for, and copied by a button. */
import { css, html, LitElement, nothing } from "lit";
import { icon } from "../icons.ts";
import { controls } from "../styles/controls.ts";

const COPIED_MS = 2_000;

class CopyField extends LitElement {
  static override properties = {
    label: {},
    value: {},
    secret: { type: Boolean },
    shown: { state: true },
    said: { state: true },
  };
  static override styles = [
    controls,
    css`
      :host {
        display: block;
      }
      label {
        display: block;
        color: var(--text-soft);
        font-size: 0.82rem;
        font-weight: 600;
      }
      .row {
        display: flex;
        align-items: center;
        gap: 2px;
        padding-left: 10px;
        border-radius: 10px;
        background: var(--surface-sunk);
      }
      input {
        flex: 1;
        min-width: 0;
        height: 40px;
        padding: 0;
        border: 0;
        background: none;
        font: 0.84rem var(--mono);
        text-overflow: ellipsis;
      }
      .icon-button {
        width: 40px;
        height: 40px;
      }
      .show {
        min-height: 36px;
        padding: 0 8px;
        border-radius: 8px;
        font-size: 0.82rem;
        font-weight: 600;
      }
      .show:hover {
        background: var(--surface-hover);
      }
    `,
  ];
  declare label: string;
  declare value: string;
  declare secret: boolean;
  declare shown: boolean;
  /** For screen readers, and the tick on the button. */
  declare said: string;

  constructor() {
    super();
    this.secret = false;
    this.shown = false;
    this.said = "";
  }

  override render() {
    const hidden = this.secret && !this.shown;
    return html`<label for="value">${this.label}</label>
      <div class="row">
        <input id="value" readonly type=${hidden ? "password" : "text"} autocomplete="off" .value=${this.value} @focus=${selectAll} />
        ${
          this.secret
            ? html`<button type="button" class="show" aria-label="${this.shown ? "Hide" : "Show"} ${this.label}" @click=${() => {
                this.shown = !this.shown;
              }}>${this.shown ? "Hide" : "Show"}</button>`
            : nothing
        }
        <button type="button" class="icon-button" aria-label="Copy ${this.label}" title="Copy" @click=${this.#copy}>
          ${icon(this.said === "" ? "copy" : "check", 18)}
        </button>
      </div>
      <span class="unseen" aria-live="polite">${this.said}</span>`;
  }

  #copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(this.value);
      this.said = `${this.label} copied.`;
      window.setTimeout(() => {
        this.said = "";
      }, COPIED_MS);
    } catch {
      // Forbidden here (an embedded page): the value is put where it can be copied by hand.
      this.shown = true;
      await this.updateComplete;
      this.renderRoot.querySelector("input")?.focus();
    }
  };
}

function selectAll(event: Event): void {
  (event.target as HTMLInputElement).select();
}

customElements.define("tributary-copy-field", CopyField);
