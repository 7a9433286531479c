/** Asks which room is meant, where an address names none. */
import { css, html, LitElement } from "lit";
import { roomNameFrom } from "../routing.ts";
import { controls } from "../styles/controls.ts";
import { listenPath, watchPath } from "./audience-route.ts";

class RoomQuestion extends LitElement {
  static override properties = { page: {} };
  static override styles = [
    controls,
    css`
      form {
        display: flex;
        flex-wrap: wrap;
        gap: 10px;
        max-width: 520px;
        margin-top: 18px;
      }
      label {
        flex: 1 1 240px;
      }
    `,
  ];
  declare page: "watch" | "listen";

  override render() {
    return html`<form @submit=${this.#submit}>
      <label><span class="unseen">Room</span
        ><input class="field" name="room" placeholder="Name of the room" autocapitalize="off" spellcheck="false" required
      /></label>
      <button class="button primary">${this.page === "watch" ? "Watch" : "Listen"}</button>
    </form>`;
  }

  #submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const room = roomNameFrom(String(new FormData(event.target as HTMLFormElement).get("room") ?? ""));
    if (room !== "") location.assign(this.page === "watch" ? watchPath(room) : listenPath(room));
  };
}

customElements.define("tributary-room-question", RoomQuestion);
