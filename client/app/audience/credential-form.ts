/** Asks for the API key or join token that the gateway wants. Fires `credential` with it. */
import { css, html, LitElement, nothing } from "lit";
import { icon } from "../icons.ts";
import { controls } from "../styles/controls.ts";
import { credentialFrom } from "./credential.ts";

class CredentialForm extends LitElement {
  static override properties = { refusal: {} };
  static override styles = [
    controls,
    css`
      form {
        display: grid;
        gap: 14px;
        max-width: 520px;
        margin: 24px auto;
        padding: 28px;
        border: 1px solid var(--line);
        border-radius: 20px;
        background: var(--surface);
        box-shadow: var(--shadow);
      }
      h2 {
        display: flex;
        align-items: center;
        gap: 10px;
        font-size: 1.2rem;
      }
      p,
      label {
        color: var(--text-soft);
        font-size: 0.94rem;
      }
      label {
        display: grid;
        gap: 6px;
        font-weight: 600;
      }
      .field {
        color: var(--text);
        font-weight: 400;
      }
      .refused {
        padding: 10px 14px;
        border-radius: 12px;
        background: var(--danger-soft);
        color: var(--on-danger-soft);
        overflow-wrap: anywhere;
      }
    `,
  ];
  /** Why the last one was not taken; empty at the first asking. */
  declare refusal: string;

  override render() {
    return html`<form @submit=${this.#submit}>
      <h2>${icon("history")} A key is needed</h2>
      <p>Recordings are for those who run this server or take part in its rooms. Enter an API key, or a join token of the room.</p>
      ${this.refusal === "" ? nothing : html`<p class="refused" role="alert">${this.refusal}</p>`}
      <label
        >API key or join token
        <input class="field" type="password" name="credential" autocomplete="off" spellcheck="false" required />
      </label>
      <p>It stays in this tab and is forgotten when you close it.</p>
      <button class="button primary">Show recordings</button>
    </form>`;
  }

  #submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const pasted = String(new FormData(event.target as HTMLFormElement).get("credential") ?? "");
    const credential = credentialFrom(pasted);
    if (credential !== "") this.dispatchEvent(new CustomEvent("credential", { detail: credential }));
  };
}

customElements.define("tributary-credential", CredentialForm);
