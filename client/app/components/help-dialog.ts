/** The list of keyboard shortcuts. `open()` shows it. */
import { css, html, LitElement } from "lit";
import { icon } from "../icons.ts";
import { SHORTCUT_HELP } from "../shortcuts.ts";
import { controls, dialogs } from "../styles/controls.ts";

export class HelpDialog extends LitElement {
  static override styles = [
    controls,
    dialogs,
    css`
      dl {
        display: grid;
        grid-template-columns: auto 1fr;
        align-items: center;
        gap: 12px 18px;
      }
      kbd {
        display: inline-block;
        min-width: 38px;
        padding: 4px 10px;
        border: 1px solid var(--field-line);
        border-bottom-width: 3px;
        border-radius: 8px;
        text-align: center;
        font: 600 0.9rem var(--mono);
      }
    `,
  ];

  open(): void {
    this.renderRoot.querySelector("dialog")?.showModal();
  }

  override render() {
    return html`<dialog aria-labelledby="title">
      <header>
        <h2 id="title">Keyboard shortcuts</h2>
        <button class="icon-button" aria-label="Close" @click=${this.#close}>${icon("close")}</button>
      </header>
      <dl class="body">
        ${SHORTCUT_HELP.map(([key, meaning]) => html`<dt><kbd>${key}</kbd></dt><dd>${meaning}</dd>`)}
      </dl>
    </dialog>`;
  }

  #close = () => this.renderRoot.querySelector("dialog")?.close();
}

customElements.define("tributary-help", HelpDialog);
