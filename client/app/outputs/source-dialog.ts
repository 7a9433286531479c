/** Asks what kind of program is to come into the room. `open()` shows it; fires `source` with an ingest. */
import { html, LitElement } from "lit";
import type { IngestSpec } from "../../../core/wire/bridge-jobs.ts";
import { icon } from "../icons.ts";
import { displayNameFrom } from "../routing.ts";
import { controls, dialogs } from "../styles/controls.ts";
import { formStyles } from "../styles/outputs.ts";
import { ingestIdentity } from "./output-text.ts";

const KINDS: readonly { type: IngestSpec["type"]; title: string; text: string }[] = [
  { type: "rtmp", title: "Video encoder", text: "OBS, ffmpeg or a hardware encoder, by RTMP." },
  { type: "icecast", title: "Sound source", text: "A radio studio or phone gateway, as an Icecast source." },
];

export class SourceDialog extends LitElement {
  static override styles = [controls, dialogs, formStyles];

  open(): void {
    this.renderRoot.querySelector("form")?.reset();
    this.renderRoot.querySelector("dialog")?.showModal();
  }

  override render() {
    return html`<dialog aria-labelledby="title">
      <header>
        <h2 id="title">Bring in a source</h2>
        <button class="icon-button" aria-label="Close" @click=${this.#close}>${icon("close")}</button>
      </header>
      <form class="body" @submit=${this.#submit} autocomplete="off">
        <fieldset>
          <legend>What sends</legend>
          <div class="choices tall">
            ${KINDS.map(
              ({ type, title, text }, index) =>
                html`<label class="choice"
                  ><input type="radio" name="type" value=${type} ?checked=${index === 0} /><span><b>${title}</b><small>${text}</small></span></label
                >`,
            )}
          </div>
        </fieldset>
        <label
          >Name
          <input class="field" name="name" maxlength="64" required placeholder="As the room sees it: Stage camera" />
        </label>
        <div class="actions">
          <button class="button primary">${icon("plus", 18)} Create stream key</button>
        </div>
      </form>
    </dialog>`;
  }

  #close = (): void => this.renderRoot.querySelector("dialog")?.close();

  #submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const fields = new FormData(event.target as HTMLFormElement);
    const name = displayNameFrom(String(fields.get("name") ?? "")) || "Source";
    const type = fields.get("type") === "icecast" ? "icecast" : "rtmp";
    this.#close();
    const detail: IngestSpec = { type, name, identity: ingestIdentity(name, Math.random) };
    this.dispatchEvent(new CustomEvent("source", { detail }));
  };
}

customElements.define("tributary-source-dialog", SourceDialog);
