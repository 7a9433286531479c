/** Makes sure before a recording is deleted. `ask(recording)` shows it; resolves to true when it shall go. */
import { css, html, LitElement } from "lit";
import type { RecordingInfo } from "../../../core/wire/bridge-jobs.ts";
import { controls, dialogs } from "../styles/controls.ts";
import { dateText } from "./recordings.ts";

export class DeleteDialog extends LitElement {
  static override properties = { recording: { state: true } };
  static override styles = [
    controls,
    dialogs,
    css`
      .body p {
        color: var(--text-soft);
      }
    `,
  ];
  declare recording: RecordingInfo | undefined;
  #answer: ((yes: boolean) => void) | undefined;

  async ask(recording: RecordingInfo): Promise<boolean> {
    this.recording = recording;
    await this.updateComplete;
    this.renderRoot.querySelector("dialog")?.showModal();
    return new Promise((resolve) => {
      this.#answer = resolve;
    });
  }

  override render() {
    const { recording } = this;
    return html`<dialog aria-labelledby="ask" @close=${this.#closed}>
      <header><h2 id="ask">Delete this recording?</h2></header>
      <form method="dialog" class="body">
        <p>
          ${recording === undefined ? "" : html`<b>${recording.room}</b>, ${dateText(recording.startedAt)}. `}It is gone for everybody,
          with all its files, and cannot be brought back.
        </p>
        <div class="actions">
          <button class="button" value="">Keep</button>
          <button class="button danger" value="delete">Delete</button>
        </div>
      </form>
    </dialog>`;
  }

  #closed = (event: Event): void => {
    const dialog = event.target as HTMLDialogElement;
    this.#answer?.(dialog.returnValue === "delete");
    this.#answer = undefined;
    dialog.returnValue = "";
  };
}

customElements.define("tributary-delete", DeleteDialog);
