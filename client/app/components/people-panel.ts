/**
 * Who is in the room, how loud each is for us, and what an admin may do: mute and remove.
 * Fires `mute-person`, `remove-person` (detail says who) and `close-panel`.
 */
import { css, html, LitElement, nothing } from "lit";
import { repeat } from "lit/directives/repeat.js";
import type { RemoteParticipant, Room } from "../../sdk/api.ts";
import { icon } from "../icons.ts";
import { hueOf, initialsOf } from "../person-mark.ts";
import { controls, dialogs } from "../styles/controls.ts";
import { panelStyles } from "../styles/panel.ts";

class PeoplePanel extends LitElement {
  static override properties = {
    room: { attribute: false, hasChanged: () => true },
    leaving: { state: true },
  };
  static override styles = [
    controls,
    panelStyles,
    dialogs,
    css`
      li {
        padding: 8px 0;
        border-bottom: 1px solid var(--line);
      }
      li:last-child {
        border-bottom: 0;
      }
      .row {
        display: flex;
        align-items: center;
        gap: 4px;
        min-height: 48px;
      }
      .avatar {
        display: grid;
        place-items: center;
        width: 38px;
        height: 38px;
        margin-right: 8px;
        border-radius: 50%;
        background: oklch(0.46 0.085 var(--hue));
        color: #fff;
        font-size: 0.84rem;
        font-weight: 600;
        flex: none;
      }
      .speaking .avatar {
        box-shadow:
          0 0 0 2px var(--surface),
          0 0 0 4px var(--speaking);
      }
      .who {
        flex: 1;
        min-width: 0;
        line-height: 1.25;
        overflow-wrap: anywhere;
      }
      small {
        color: var(--text-soft);
      }
      .state {
        color: var(--text-soft);
        margin: 0 6px;
      }
      .volume {
        display: flex;
        align-items: center;
        gap: 10px;
        padding: 0 4px 2px 48px;
        color: var(--text-soft);
      }
      input[type="range"] {
        flex: 1;
        min-width: 0;
        height: 28px;
        accent-color: var(--primary);
      }
      .body p {
        color: var(--text-soft);
      }
    `,
  ];
  declare room: Room;
  /** Who is about to be removed. */
  declare leaving: RemoteParticipant | undefined;

  override render() {
    const others = [...this.room.participants.values()];
    return html`<header>
        <h2>People (${others.length + (this.room.grants.hidden ? 0 : 1)})</h2>
        <button class="icon-button" aria-label="Close people" @click=${() => this.#fire("close-panel")}>${icon("close")}</button>
      </header>
      <div class="scroll">
        <ul>
          ${this.room.grants.hidden ? nothing : this.#self()}
          ${repeat(
            others,
            (participant) => participant.identity,
            (participant) => this.#person(participant),
          )}
        </ul>
        ${others.length === 0 ? html`<p class="body">Nobody else is here yet. Send them the invite link.</p>` : nothing}
      </div>
      ${this.#confirmation()}`;
  }

  #self() {
    const { room } = this;
    const muted = room.localTracks.get("microphone")?.muted !== false;
    return html`<li>
      <div class="row ${room.speakers.includes(room.identity) ? "speaking" : ""}">
        ${avatar(room.identity, room.displayName)}
        <span class="who">${room.displayName} <small>(you${room.grants.admin ? ", host" : ""})</small></span>
        <span class="state">${icon(muted ? "microphone-off" : "microphone", 20)}</span>
      </div>
    </li>`;
  }

  #person(participant: RemoteParticipant) {
    const sound = [...participant.tracks.values()].find((track) => track.source === "microphone");
    const on = sound?.muted === false;
    const admin = this.room.grants.admin;
    return html`<li>
      <div class="row ${participant.speaking ? "speaking" : ""}">
        ${avatar(participant.identity, participant.name)}
        <span class="who">${participant.name} ${participant.admin ? html`<small>(host)</small>` : nothing}</span>
        ${
          admin && on
            ? html`<button
                class="icon-button"
                aria-label="Mute ${participant.name}"
                title="Mute"
                @click=${() => this.#fire("mute-person", participant)}
              >
                ${icon("microphone", 20)}
              </button>`
            : html`<span class="state" role="img" aria-label=${on ? "Microphone on" : "Microphone off"}>
                ${icon(on ? "microphone" : "microphone-off", 20)}
              </span>`
        }
        ${
          admin
            ? html`<button
                class="icon-button"
                aria-label="Remove ${participant.name}"
                title="Remove"
                @click=${() => this.#ask(participant)}
              >
                ${icon("remove", 20)}
              </button>`
            : nothing
        }
      </div>
      ${
        sound === undefined
          ? nothing
          : html`<label class="volume"
              >${icon("volume", 18)}<span class="unseen">Volume of ${participant.name}</span
              ><input
                type="range"
                min="0"
                max="2"
                step="0.05"
                value="1"
                title="Volume"
                @input=${(event: Event) => sound.setVolume((event.target as HTMLInputElement).valueAsNumber)}
            /></label>`
      }
    </li>`;
  }

  #confirmation() {
    return html`<dialog aria-labelledby="ask" @close=${this.#closed}>
      <header><h2 id="ask">Remove ${this.leaving?.name}?</h2></header>
      <form method="dialog" class="body">
        <p>They are out at once and cannot come back with the same invitation.</p>
        <div class="actions">
          <button class="button" value="">Keep</button>
          <button class="button danger" value="remove">Remove</button>
        </div>
      </form>
    </dialog>`;
  }

  async #ask(participant: RemoteParticipant): Promise<void> {
    this.leaving = participant;
    await this.updateComplete;
    this.renderRoot.querySelector("dialog")?.showModal();
  }

  #closed = (event: Event) => {
    const dialog = event.target as HTMLDialogElement;
    if (dialog.returnValue === "remove" && this.leaving) this.#fire("remove-person", this.leaving);
    dialog.returnValue = "";
    this.leaving = undefined;
  };

  #fire(name: string, detail?: RemoteParticipant): void {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

function avatar(identity: string, name: string) {
  return html`<span class="avatar" aria-hidden="true" style="--hue: ${hueOf(identity)}">${initialsOf(name)}</span>`;
}

customElements.define("tributary-people", PeoplePanel);
