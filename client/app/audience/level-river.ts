/** The sound of the last seconds as a band that flows from right to left; where the level is not known, a calm wave. Decoration. */
import { css, html, LitElement, type PropertyValues } from "lit";
import { SoundLevel } from "./sound-level.ts";

const BARS = 72;
/** A bar stands for: milliseconds. */
const BAR_MS = 60;

class LevelRiver extends LitElement {
  static override properties = { audio: { attribute: false }, running: { type: Boolean } };
  static override styles = css`
    :host {
      display: block;
      height: 120px;
    }
    canvas {
      display: block;
      width: 100%;
      height: 100%;
      color: var(--primary);
    }
  `;
  declare audio: HTMLAudioElement | undefined;
  declare running: boolean;
  #level: SoundLevel | undefined;
  #bars: number[] = new Array(BARS).fill(0);
  #frame = 0;
  #lastBarMs = 0;
  readonly #still = matchMedia("(prefers-reduced-motion: reduce)").matches;

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#stop();
  }

  override render() {
    return html`<canvas aria-hidden="true"></canvas>`;
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (!changed.has("running")) return;
    this.#stop();
    if (this.running && this.audio) this.#level = SoundLevel.of(this.audio);
    if (this.running) this.#frame = requestAnimationFrame(this.#draw);
    else {
      this.#bars.fill(0);
      this.#paint();
    }
  }

  #draw = (nowMs: number): void => {
    this.#frame = requestAnimationFrame(this.#draw);
    if (nowMs - this.#lastBarMs < BAR_MS) return;
    this.#lastBarMs = nowMs;
    if (this.#level !== undefined) {
      this.#bars.push(this.#level.now());
      this.#bars.shift();
    } else if (!this.#still) {
      const phase = nowMs / 900;
      for (let i = 0; i < BARS; i++)
        this.#bars[i] = 0.24 + 0.16 * Math.sin(i / 5 + phase) * Math.sin(i / 13 - phase / 2);
    }
    this.#paint();
  };

  #paint(): void {
    const canvas = this.renderRoot.querySelector("canvas");
    const context = canvas?.getContext("2d");
    if (!canvas || !context) return;
    const scale = devicePixelRatio;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    canvas.width = width * scale;
    canvas.height = height * scale;
    context.scale(scale, scale);
    context.fillStyle = getComputedStyle(canvas).color;
    const step = width / BARS;
    for (const [i, level] of this.#bars.entries()) {
      const tall = Math.max(4, level * height);
      // Older sound is further away.
      context.globalAlpha = 0.25 + (0.75 * (i + 1)) / BARS;
      context.beginPath();
      context.roundRect(i * step + step * 0.2, (height - tall) / 2, step * 0.6, tall, step * 0.3);
      context.fill();
    }
  }

  #stop(): void {
    cancelAnimationFrame(this.#frame);
    this.#level?.close();
    this.#level = undefined;
  }
}

customElements.define("tributary-level-river", LevelRiver);
