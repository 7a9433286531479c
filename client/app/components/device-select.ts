/** One labelled choice of a device. Fires `device-chosen` with the device id ("" = the system's default). */
import { css, html, LitElement } from "lit";
import { type IconName, icon } from "../icons.ts";
import { controls } from "../styles/controls.ts";

class DeviceSelect extends LitElement {
  static override properties = {
    label: {},
    symbol: {},
    devices: { attribute: false },
    chosen: {},
    disabled: { type: Boolean },
  };
  static override styles = [
    controls,
    css`
      label {
        display: grid;
        gap: 6px;
        font-size: 0.88rem;
        font-weight: 600;
        color: var(--text-soft);
      }
      .box {
        position: relative;
        display: block;
        color: var(--text);
      }
      .box svg {
        position: absolute;
        left: 13px;
        top: 14px;
        color: var(--text-soft);
        pointer-events: none;
      }
      select {
        appearance: none;
        padding-left: 44px !important;
        padding-right: 36px !important;
        text-overflow: ellipsis;
        font-size: 0.98rem;
        font-weight: 400;
      }
      .box::after {
        content: "";
        position: absolute;
        right: 17px;
        top: 19px;
        width: 7px;
        height: 7px;
        border: solid var(--text-soft);
        border-width: 0 2px 2px 0;
        transform: rotate(45deg);
        pointer-events: none;
      }
    `,
  ];
  declare label: string;
  declare symbol: IconName;
  declare devices: readonly MediaDeviceInfo[];
  declare chosen: string;
  declare disabled: boolean;

  constructor() {
    super();
    this.label = "";
    this.symbol = "camera";
    this.devices = [];
    this.chosen = "";
    this.disabled = false;
  }

  override render() {
    // Chromium lists the default device a second time under the id "default": our own entry stands for it.
    const listed = this.devices.filter((device) => device.deviceId !== "default");
    const known = listed.some((device) => device.deviceId === this.chosen);
    return html`<label>
      ${this.label}
      <span class="box">
        ${icon(this.symbol, 20)}
        <select class="field" ?disabled=${this.disabled} @change=${this.#choose}>
          <option value="" ?selected=${!known}>Default</option>
          ${listed.map(
            (device, index) =>
              html`<option value=${device.deviceId} ?selected=${device.deviceId === this.chosen}>
                ${device.label || `${this.label} ${index + 1}`}
              </option>`,
          )}
        </select>
      </span>
    </label>`;
  }

  #choose = (event: Event) => {
    const deviceId = (event.target as HTMLSelectElement).value;
    this.dispatchEvent(new CustomEvent("device-chosen", { detail: deviceId }));
  };
}

customElements.define("tributary-device-select", DeviceSelect);
