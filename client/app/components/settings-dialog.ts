/** Device switching during a call. `open(room)` shows it; fires `device` with {kind, deviceId}. */
import { css, html, LitElement, nothing } from "lit";
import type { Devices, Room } from "../../sdk/api.ts";
import { icon } from "../icons.ts";
import { controls, dialogs } from "../styles/controls.ts";
import "./device-select.ts";
import "./level-meter.ts";

export interface DeviceChoice {
  kind: "camera" | "microphone" | "speaker";
  deviceId: string;
}

export class SettingsDialog extends LitElement {
  static override properties = {
    room: { attribute: false, hasChanged: () => true },
    devices: { state: true },
    speakerId: { attribute: false },
  };
  static override styles = [
    controls,
    dialogs,
    css`
      tributary-level-meter {
        margin-top: 10px;
      }
    `,
  ];
  declare room: Room;
  declare devices: Devices;
  declare speakerId: string;

  constructor() {
    super();
    this.devices = { cameras: [], microphones: [], speakers: [] };
    this.speakerId = "";
  }

  async open(): Promise<void> {
    this.renderRoot.querySelector("dialog")?.showModal();
    this.devices = await this.room.devices();
  }

  override render() {
    const camera = this.room.localTracks.get("camera");
    const microphone = this.room.localTracks.get("microphone");
    const canChooseSpeaker = "setSinkId" in AudioContext.prototype && this.devices.speakers.length > 0;
    return html`<dialog aria-labelledby="title">
      <header>
        <h2 id="title">Devices</h2>
        <button class="icon-button" aria-label="Close" @click=${this.#close}>${icon("close")}</button>
      </header>
      <div class="body">
        <tributary-device-select
          label="Camera"
          symbol="camera"
          .devices=${this.devices.cameras}
          .chosen=${deviceIdOf(camera?.mediaStreamTrack)}
          @device-chosen=${(event: CustomEvent<string>) => this.#choose("camera", event.detail)}
        ></tributary-device-select>
        <div>
          <tributary-device-select
            label="Microphone"
            symbol="microphone"
            .devices=${this.devices.microphones}
            .chosen=${deviceIdOf(microphone?.mediaStreamTrack)}
            @device-chosen=${(event: CustomEvent<string>) => this.#choose("microphone", event.detail)}
          ></tributary-device-select>
          ${
            microphone === undefined
              ? nothing
              : html`<tributary-level-meter .track=${microphone.mediaStreamTrack}></tributary-level-meter>`
          }
        </div>
        ${
          canChooseSpeaker
            ? html`<tributary-device-select
                label="Speaker"
                symbol="volume"
                .devices=${this.devices.speakers}
                .chosen=${this.speakerId}
                @device-chosen=${(event: CustomEvent<string>) => this.#choose("speaker", event.detail)}
              ></tributary-device-select>`
            : nothing
        }
      </div>
    </dialog>`;
  }

  #choose(kind: DeviceChoice["kind"], deviceId: string): void {
    this.dispatchEvent(new CustomEvent<DeviceChoice>("device", { detail: { kind, deviceId } }));
  }

  #close = () => this.renderRoot.querySelector("dialog")?.close();
}

function deviceIdOf(track: MediaStreamTrack | undefined): string {
  return track?.getSettings().deviceId ?? "";
}

customElements.define("tributary-settings", SettingsDialog);
