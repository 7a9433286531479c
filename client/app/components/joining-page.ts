/** The moment between asking to join and being in. Fires `cancel`. */
import { css, html, LitElement } from "lit";
import { mark } from "../icons.ts";
import { controls } from "../styles/controls.ts";

class JoiningPage extends LitElement {
  static override properties = { room: {} };
  static override styles = [
    controls,
    css`
      main {
        display: grid;
        place-content: center;
        justify-items: center;
        gap: 18px;
        min-height: 100dvh;
        padding: 24px;
        text-align: center;
      }
      .mark {
        animation: breathe 1.6s ease-in-out infinite;
      }
      @keyframes breathe {
        50% {
          opacity: 0.45;
        }
      }
    `,
  ];
  declare room: string;

  override render() {
    return html`<main>
      <div class="mark">${mark(64)}</div>
      <p role="status">Joining <b>${this.room}</b>…</p>
      <button class="button" @click=${() => this.dispatchEvent(new CustomEvent("cancel"))}>Cancel</button>
    </main>`;
  }
}

customElements.define("tributary-joining", JoiningPage);
