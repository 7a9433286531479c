/** After a call, or instead of one: what happened and what to do next. Fires `again` and `lobby`. */
import { css, html, LitElement, nothing } from "lit";
import { icon, mark } from "../icons.ts";
import { controls } from "../styles/controls.ts";

export interface Ending {
  title: string;
  /** A sentence or two. */
  text: string;
  /** Empty: joining again makes no sense. */
  againLabel: string;
  /** The check of the connection may tell more. */
  isPerhapsNetwork?: boolean;
}

class EndedPage extends LitElement {
  static override properties = { ending: { attribute: false }, doctorPath: {} };
  static override styles = [
    controls,
    css`
      main {
        position: relative;
        display: grid;
        justify-items: center;
        align-content: center;
        gap: 14px;
        min-height: 100dvh;
        padding: 32px 24px max(32px, env(safe-area-inset-bottom));
        text-align: center;
      }
      h1 {
        margin-top: 14px;
        font-size: clamp(1.5rem, 5vw, 2rem);
        letter-spacing: -0.02em;
        text-wrap: balance;
        overflow-wrap: anywhere;
        outline: none;
      }
      p {
        max-width: 46ch;
        color: var(--text-soft);
        text-wrap: pretty;
      }
      .actions {
        display: flex;
        flex-wrap: wrap;
        justify-content: center;
        gap: 12px;
        margin-top: 14px;
      }
    `,
  ];
  declare ending: Ending;
  /** Where the connection is checked. */
  declare doctorPath: string;

  constructor() {
    super();
    this.doctorPath = "/doctor";
  }

  override render() {
    const { ending } = this;
    return html`<main>
      ${mark(64)}
      <h1 tabindex="-1">${ending.title}</h1>
      <p role="status">${ending.text}</p>
      <div class="actions">
        ${
          ending.againLabel === ""
            ? nothing
            : html`<button class="button primary" @click=${() => this.#fire("again")}>${ending.againLabel}</button>`
        }
        <button class="button" @click=${() => this.#fire("lobby")}>${icon("back", 20)} Back to start</button>
        ${
          ending.isPerhapsNetwork === true
            ? html`<a class="button" href=${this.doctorPath}>${icon("stats", 20)} Check your connection</a>`
            : nothing
        }
      </div>
    </main>`;
  }

  protected override firstUpdated(): void {
    this.renderRoot.querySelector("h1")?.focus();
  }

  #fire(name: string): void {
    this.dispatchEvent(new CustomEvent(name));
  }
}

customElements.define("tributary-ended", EndedPage);
