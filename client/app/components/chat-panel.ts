/** The room's conversation. Fires `send` with a text, `close-panel` when it should go. */
import { css, html, LitElement, nothing, type PropertyValues } from "lit";
import type { ChatMessage } from "../../sdk/api.ts";
import { chatParts } from "../chat-text.ts";
import { icon } from "../icons.ts";
import { controls } from "../styles/controls.ts";
import { panelStyles } from "../styles/panel.ts";

/** Characters of one message; four bytes each still fit a room data message (32 KiB). */
const MAX_MESSAGE_CHARS = 4_000;
/** Messages of one sender within this time stand under one name. */
const GROUP_MS = 3 * 60_000;
/** Nearer to the end than this, the list follows new messages. */
const FOLLOW_PX = 80;

const time = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });

class ChatPanel extends LitElement {
  static override properties = { messages: { attribute: false }, count: { type: Number } };
  static override styles = [
    controls,
    panelStyles,
    css`
      .empty {
        padding: 32px 12px;
        text-align: center;
        color: var(--text-soft);
      }
      li {
        display: grid;
        justify-items: start;
        margin-top: 4px;
      }
      li.first {
        margin-top: 16px;
      }
      .from {
        margin: 0 0 4px 4px;
        font-size: 0.82rem;
        color: var(--text-soft);
      }
      .from b {
        color: var(--text);
        font-weight: 600;
      }
      .text {
        max-width: 92%;
        padding: 8px 13px;
        border-radius: 5px 16px 16px 16px;
        background: var(--surface-sunk);
        white-space: pre-wrap;
        overflow-wrap: anywhere;
        font-size: 0.96rem;
      }
      .own {
        justify-items: end;
      }
      .own .text {
        border-radius: 16px 5px 16px 16px;
        background: var(--primary-soft);
        color: var(--on-primary-soft);
      }
      .text a {
        color: inherit;
      }
      form {
        display: flex;
        align-items: flex-end;
        gap: 8px;
        padding: 10px 12px calc(12px + var(--panel-foot, 0px));
        border-top: 1px solid var(--line);
      }
      textarea {
        resize: none;
        field-sizing: content;
        max-height: 132px;
        padding: 11px 14px !important;
        line-height: 1.4;
      }
      .send {
        width: 48px;
        height: 48px;
        padding: 0;
        flex: none;
      }
    `,
  ];
  declare messages: readonly ChatMessage[];
  /** Number of messages: the list itself is the Room's and grows in place. */
  declare count: number;
  #follow = true;

  constructor() {
    super();
    this.messages = [];
    this.count = 0;
  }

  override render() {
    return html`<header>
        <h2>Chat</h2>
        <button class="icon-button" aria-label="Close chat" @click=${this.#close}>${icon("close")}</button>
      </header>
      <div class="scroll" tabindex="0" role="log" aria-label="Messages" aria-live="off" @scroll=${this.#scrolled}>
        ${
          this.messages.length === 0
            ? html`<p class="empty">No messages yet. What you write here, everybody in the room can read.</p>`
            : html`<ul>${this.messages.map((message, index) => this.#message(message, this.messages[index - 1]))}</ul>`
        }
      </div>
      <form @submit=${this.#submit}>
        <textarea
          class="field"
          rows="1"
          maxlength=${MAX_MESSAGE_CHARS}
          aria-label="Message to everybody"
          placeholder="Message everybody"
          @keydown=${this.#keyDown}
        ></textarea>
        <button class="button primary send" aria-label="Send">${icon("send", 20)}</button>
      </form>`;
  }

  protected override updated(changed: PropertyValues<this>): void {
    if ((changed.has("count") || changed.has("messages")) && this.#follow) this.#toEnd();
  }

  protected override firstUpdated(): void {
    this.#toEnd();
    // On a phone the keyboard would cover the conversation that was just opened.
    if (matchMedia("(hover: hover)").matches) this.renderRoot.querySelector("textarea")?.focus();
  }

  #message(message: ChatMessage, before: ChatMessage | undefined) {
    const continues =
      before !== undefined &&
      before.from === message.from &&
      message.sentAt.getTime() - before.sentAt.getTime() < GROUP_MS;
    const classes = [message.own ? "own" : "", continues ? "" : "first"].join(" ");
    return html`<li class=${classes}>
      ${
        continues
          ? nothing
          : html`<span class="from"><b>${message.own ? "You" : message.name}</b> ${time.format(message.sentAt)}</span>`
      }
      <span class="text">${chatParts(message.text).map((part) =>
        part.href === undefined
          ? part.text
          : html`<a href=${part.href} target="_blank" rel="noopener noreferrer">${part.text}</a>`,
      )}</span>
    </li>`;
  }

  #submit = (event: Event) => {
    event.preventDefault();
    const field = this.renderRoot.querySelector("textarea");
    const text = field?.value.trim() ?? "";
    if (field === null || text === "") return;
    field.value = "";
    this.#follow = true;
    this.dispatchEvent(new CustomEvent("send", { detail: text }));
  };

  #keyDown = (event: KeyboardEvent) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) this.#submit(event);
  };

  #scrolled = (event: Event) => {
    const list = event.target as HTMLElement;
    this.#follow = list.scrollHeight - list.scrollTop - list.clientHeight < FOLLOW_PX;
  };

  #close = () => {
    this.dispatchEvent(new CustomEvent("close-panel"));
  };

  #toEnd(): void {
    const list = this.renderRoot.querySelector(".scroll");
    if (list) list.scrollTop = list.scrollHeight;
  }
}

customElements.define("tributary-chat", ChatPanel);
