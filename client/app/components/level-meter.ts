/** A live microphone level: one bar, 0..1 on a decibel scale, measured with an AnalyserNode. */
import { css, html, LitElement, type PropertyValues } from "lit";
import { controls } from "../styles/controls.ts";

/** Level shown as empty; speech lies well above. */
const FLOOR_DB = -60;
const SAMPLES = 1024;
/** Screen readers are told less often than the bar moves. */
const SPOKEN_EVERY_FRAMES = 30;

class LevelMeter extends LitElement {
  static override properties = { track: { attribute: false } };
  static override styles = [
    controls,
    css`
      :host {
        display: block;
      }
      .bar {
        height: 8px;
        border-radius: 4px;
        background: var(--surface-sunk);
        overflow: hidden;
      }
      .fill {
        height: 100%;
        border-radius: 4px;
        background: var(--speaking);
        transform-origin: left;
        transform: scaleX(0);
      }
    `,
  ];
  declare track: MediaStreamTrack | undefined;
  #context: AudioContext | undefined;
  #frame = 0;

  override render() {
    return html`<div class="bar" role="meter" aria-label="Microphone level" aria-valuemin="0" aria-valuemax="100" aria-valuenow="0">
      <div class="fill"></div>
    </div>`;
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (!changed.has("track")) return;
    this.#stop();
    if (this.track !== undefined) this.#measure(this.track);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    if (this.hasUpdated && this.track !== undefined) this.#measure(this.track);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#stop();
  }

  #measure(track: MediaStreamTrack): void {
    const context = new AudioContext();
    this.#context = context;
    const analyser = new AnalyserNode(context, { fftSize: SAMPLES, smoothingTimeConstant: 0 });
    context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
    // Without a gesture the context stays suspended and the bar empty; the first click anywhere wakes it.
    window.addEventListener("pointerdown", () => void resume(context), { once: true });
    const samples = new Float32Array(SAMPLES);
    let shown = 0;
    let frames = 0;
    const draw = () => {
      analyser.getFloatTimeDomainData(samples);
      shown = Math.max(levelOf(samples), shown * 0.9);
      this.#show(shown, frames++ % SPOKEN_EVERY_FRAMES === 0);
      this.#frame = requestAnimationFrame(draw);
    };
    draw();
  }

  #show(level: number, spoken: boolean): void {
    const fill = this.renderRoot.querySelector<HTMLElement>(".fill");
    if (fill) fill.style.transform = `scaleX(${level.toFixed(3)})`;
    if (spoken) fill?.parentElement?.setAttribute("aria-valuenow", String(Math.round(level * 100)));
  }

  #stop(): void {
    cancelAnimationFrame(this.#frame);
    const context = this.#context;
    this.#context = undefined;
    if (context !== undefined && context.state !== "closed") void context.close();
    if (this.hasUpdated) this.#show(0, true);
  }
}

function levelOf(samples: Float32Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  const decibels = 10 * Math.log10(sum / samples.length + 1e-12);
  return Math.min(1, Math.max(0, 1 - decibels / FLOOR_DB));
}

async function resume(context: AudioContext): Promise<void> {
  if (context.state === "suspended") await context.resume();
}

customElements.define("tributary-level-meter", LevelMeter);
