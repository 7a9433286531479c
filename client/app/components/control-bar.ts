/** The buttons at the foot of the room. Fires `action` with the name of what was asked for. */
import { html, LitElement, nothing, type TemplateResult } from "lit";
import { type IconName, icon } from "../icons.ts";
import { barStyles } from "../styles/bar.ts";
import { controls } from "../styles/controls.ts";

export type BarAction =
  | "microphone"
  | "camera"
  | "screen"
  | "chat"
  | "people"
  | "outputs"
  | "stats"
  | "settings"
  | "help"
  | "invite"
  | "leave";

export interface BarState {
  microphoneOn: boolean;
  cameraOn: boolean;
  screenOn: boolean;
  mayMicrophone: boolean;
  mayCamera: boolean;
  /** False also where the browser cannot share screens (phones). */
  mayScreen: boolean;
  mayChat: boolean;
  /** Outputs of the room may be seen. */
  mayOutputs: boolean;
  panel: "chat" | "people" | "outputs" | "none";
  statsOpen: boolean;
  unread: number;
  people: number;
  /** A device is being started. */
  busy: ReadonlySet<string>;
}

class ControlBar extends LitElement {
  static override properties = { state: { attribute: false } };
  static override styles = [controls, barStyles];
  declare state: BarState;

  override render() {
    const { state } = this;
    return html`<div class="bar" role="toolbar" aria-label="Call controls">
      <div class="group">
        ${state.mayMicrophone ? this.#device("microphone", state.microphoneOn, "Microphone", "M") : nothing}
        ${state.mayCamera ? this.#device("camera", state.cameraOn, "Camera", "V") : nothing}
        ${
          state.mayScreen
            ? this.#button("screen", state.screenOn ? "screen-off" : "screen", {
                label: state.screenOn ? "Stop sharing your screen" : "Share your screen",
                hint: "S",
                pressed: state.screenOn,
                tone: state.screenOn ? "active" : "plain",
              })
            : nothing
        }
      </div>
      <div class="group">
        ${state.mayChat ? this.#chat() : nothing}
        ${this.#button("people", "people", {
          label: `People (${state.people})`,
          hint: "P",
          pressed: state.panel === "people",
          tone: state.panel === "people" ? "active" : "plain",
        })}
        <span class="wide">
          ${
            state.mayOutputs
              ? this.#button("outputs", "broadcast", {
                  label: "Outputs",
                  hint: "O",
                  pressed: state.panel === "outputs",
                  tone: state.panel === "outputs" ? "active" : "plain",
                })
              : nothing
          }
          ${this.#button("stats", "stats", {
            label: "Connection figures",
            hint: "I",
            pressed: state.statsOpen,
            tone: state.statsOpen ? "active" : "plain",
          })}
          ${this.#button("settings", "settings", { label: "Devices" })}
          ${this.#button("help", "help", { label: "Keyboard shortcuts", hint: "?" })}
        </span>
        ${this.#menu()}
      </div>
      <button class="round leave" aria-label="Leave the room" title="Leave" @click=${() => this.#fire("leave")}>
        ${icon("leave")}<span class="leave-word">Leave</span>
      </button>
    </div>`;
  }

  #device(action: "microphone" | "camera", on: boolean, name: string, hint: string): TemplateResult {
    return this.#button(action, on ? action : `${action}-off`, {
      label: `Turn ${name.toLowerCase()} ${on ? "off" : "on"}`,
      hint,
      tone: on ? "plain" : "off",
    });
  }

  #chat(): TemplateResult {
    const { unread, panel } = this.state;
    return html`<span class="badged">
      ${this.#button("chat", "chat", {
        label: unread > 0 ? `Chat, ${unread} unread` : "Chat",
        hint: "C",
        pressed: panel === "chat",
        tone: panel === "chat" ? "active" : "plain",
      })}
      ${unread > 0 ? html`<span class="badge" aria-hidden="true">${unread > 99 ? "99+" : unread}</span>` : nothing}
    </span>`;
  }

  /** What does not fit a phone's width. */
  #menu(): TemplateResult {
    const item = (action: BarAction, name: IconName, text: string) =>
      html`<button class="item" @click=${() => this.#fromMenu(action)}>${icon(name, 20)} ${text}</button>`;
    return html`<button class="round narrow" popovertarget="menu" aria-label="More" title="More">${icon("more")}</button>
      <div id="menu" popover>
        ${item("invite", "link", "Copy invite link")}
        ${this.state.mayOutputs ? item("outputs", "broadcast", "Outputs") : nothing}
        ${item("settings", "settings", "Devices")}
        ${item("stats", "stats", this.state.statsOpen ? "Hide figures" : "Connection figures")}
        ${item("help", "help", "Keyboard shortcuts")}
      </div>`;
  }

  #button(
    action: BarAction,
    name: IconName,
    look: { label: string; hint?: string; pressed?: boolean; tone?: "plain" | "active" | "off" },
  ): TemplateResult {
    return html`<button
      class="round ${look.tone ?? "plain"}"
      data-action=${action}
      aria-label=${look.label}
      aria-pressed=${look.pressed ?? nothing}
      title=${look.hint === undefined ? look.label : `${look.label} (${look.hint})`}
      ?disabled=${this.state.busy.has(action)}
      @click=${() => this.#fire(action)}
    >
      ${icon(name)}
    </button>`;
  }

  #fromMenu(action: BarAction): void {
    this.renderRoot.querySelector<HTMLElement>("#menu")?.hidePopover();
    this.#fire(action);
  }

  #fire(action: BarAction): void {
    this.dispatchEvent(new CustomEvent("action", { detail: action }));
  }
}

customElements.define("tributary-control-bar", ControlBar);
