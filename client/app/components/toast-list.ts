/** Short messages that go away by themselves. Fires `dismiss` with the id of one. */
import { css, html, LitElement } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { icon } from "../icons.ts";
import type { Notice } from "../room-controller.ts";
import { controls } from "../styles/controls.ts";

class ToastList extends LitElement {
  static override properties = { notices: { attribute: false } };
  static override styles = [
    controls,
    css`
      :host {
        position: absolute;
        left: 0;
        right: 0;
        bottom: calc(100% + 8px);
        z-index: 4;
        pointer-events: none;
      }
      ul {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        justify-items: center;
        gap: 8px;
        padding: 0 12px;
      }
      li {
        display: flex;
        align-items: center;
        gap: 10px;
        max-width: min(560px, 100%);
        padding: 4px 4px 4px 16px;
        border-radius: 14px;
        background: var(--text);
        color: var(--background);
        box-shadow: var(--shadow);
        font-size: 0.94rem;
        pointer-events: auto;
        overflow-wrap: anywhere;
        animation: rise 200ms var(--ease);
      }
      li.warning {
        background: var(--warning-soft);
        color: var(--on-warning-soft);
        border: 1px solid currentColor;
      }
      li.chat > span {
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      .icon-button {
        width: 38px;
        height: 38px;
        color: inherit;
      }
      .icon-button:hover {
        background: rgb(128 128 128 / 25%);
        color: inherit;
      }
      @keyframes rise {
        from {
          opacity: 0;
          transform: translateY(8px);
        }
      }
    `,
  ];
  declare notices: readonly Notice[];

  constructor() {
    super();
    this.notices = [];
  }

  override render() {
    return html`<ul role="log" aria-label="Notices" aria-live=${this.notices.some((one) => one.tone === "warning") ? "assertive" : "off"}>
      ${repeat(
        this.notices,
        (notice) => notice.id,
        (notice) => html`<li class=${notice.tone}>
          ${notice.tone === "warning" ? icon("warning", 20) : ""}
          <span>${notice.text}</span>
          <button class="icon-button" aria-label="Dismiss" @click=${() => this.#dismiss(notice.id)}>
            ${icon("close", 18)}
          </button>
        </li>`,
      )}
    </ul>`;
  }

  #dismiss(id: number): void {
    this.dispatchEvent(new CustomEvent("dismiss", { detail: id }));
  }
}

customElements.define("tributary-toasts", ToastList);
