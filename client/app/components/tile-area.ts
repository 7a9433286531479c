/** Places tiles in the room it is given: a grid, or a stage with a filmstrip. Tiles keep their element when they move. */
import { css, html, LitElement, nothing } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { type StatsLook, tileFigures } from "../stats-text.ts";
import { controls } from "../styles/controls.ts";
import { type Area, gridCapacity, layoutGrid, layoutStage, type Rect } from "../tile-layout.ts";
import { chooseTiles, stageTile, type Tile } from "../tiles.ts";
import "./video-tile.ts";

class TileArea extends LitElement {
  static override properties = {
    tiles: { attribute: false },
    pinnedKey: { attribute: false },
    look: { attribute: false },
    lookBefore: { attribute: false },
    area: { state: true },
  };
  static override styles = [
    controls,
    css`
      :host {
        position: relative;
        display: block;
        min-width: 0;
        min-height: 0;
      }
      tributary-tile {
        position: absolute;
        transition:
          left 240ms var(--ease),
          top 240ms var(--ease),
          width 240ms var(--ease),
          height 240ms var(--ease);
      }
      .beyond {
        position: absolute;
        right: 8px;
        bottom: 8px;
        padding: 3px 10px;
        border-radius: 10px;
        background: var(--surface);
        color: var(--text);
        box-shadow: var(--shadow);
        font-size: 0.86rem;
        font-weight: 600;
      }
    `,
  ];
  declare tiles: readonly Tile[];
  /** Tile that a person wants large; empty for none. */
  declare pinnedKey: string;
  declare look: StatsLook | undefined;
  declare lookBefore: StatsLook | undefined;
  declare area: Area;
  #observer = new ResizeObserver(() => this.#measure());

  constructor() {
    super();
    this.tiles = [];
    this.pinnedKey = "";
    this.area = { width: 0, height: 0 };
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#observer.observe(this);
    this.#measure();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#observer.disconnect();
  }

  override render() {
    if (this.area.width === 0 || this.area.height === 0) return nothing;
    const placed = this.#place();
    const beyond = this.tiles.length - placed.length;
    return html`${repeat(
      placed,
      ({ tile }) => tile.key,
      ({ tile, rect, small }) => html`<tributary-tile
        .tile=${tile}
        .figures=${this.look === undefined ? undefined : tileFigures(tile.trackIds, this.look, this.lookBefore)}
        .pinned=${tile.key === this.pinnedKey}
        .small=${small}
        style="left:${rect.left}px;top:${rect.top}px;width:${rect.width}px;height:${rect.height}px"
      ></tributary-tile>`,
    )}${beyond > 0 ? html`<span class="beyond" title="${beyond} more">+${beyond}<span class="unseen"> more</span></span>` : nothing}`;
  }

  #place(): { tile: Tile; rect: Rect; small: boolean }[] {
    const large = stageTile(this.tiles, this.pinnedKey);
    if (large === undefined || this.tiles.length === 1) {
      const chosen = chooseTiles(this.tiles, gridCapacity(this.area));
      const rects = layoutGrid(chosen.length, this.area);
      return chosen.flatMap((tile, index) => {
        const rect = rects[index];
        return rect === undefined ? [] : [{ tile, rect, small: false }];
      });
    }
    const others = this.tiles.filter((tile) => tile !== large);
    const { stage, strip } = layoutStage(others.length, this.area);
    const chosen = chooseTiles(others, strip.length);
    return [
      { tile: large, rect: stage, small: false },
      ...chosen.flatMap((tile, index) => {
        const rect = strip[index];
        return rect === undefined ? [] : [{ tile, rect, small: true }];
      }),
    ];
  }

  #measure(): void {
    const { clientWidth: width, clientHeight: height } = this;
    if (width !== this.area.width || height !== this.area.height) this.area = { width, height };
  }
}

customElements.define("tributary-tile-area", TileArea);
