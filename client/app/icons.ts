/** The app's own icons, drawn on a 24 x 24 grid with one stroke width, in the colour of the text around them. */
import { html, type SVGTemplateResult, svg, type TemplateResult } from "lit";

const SHAPES = {
  microphone: svg`<rect x="9" y="3" width="6" height="11" rx="3"/><path d="M5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3"/>`,
  "microphone-off": svg`<path d="M15 9.5V6a3 3 0 0 0-5.8-1M9 9.5V11a3 3 0 0 0 4.6 2.5M5.5 11.5a6.5 6.5 0 0 0 10.6 5M18.3 13.2c.1-.5.2-1.1.2-1.7M12 18v3M4 4l16 16"/>`,
  camera: svg`<rect x="3" y="6.5" width="12.5" height="11" rx="2.5"/><path d="m15.5 10.6 5-2.8v8.4l-5-2.8"/>`,
  "camera-off": svg`<path d="M9.5 6.5H13a2.5 2.5 0 0 1 2.5 2.5v3.5M15 16a2.5 2.5 0 0 1-2 1.5H5.5A2.5 2.5 0 0 1 3 15V9a2.5 2.5 0 0 1 2-2.45M15.5 10.6l5-2.8v8.4l-1.5-.8M4 4l16 16"/>`,
  screen: svg`<rect x="3" y="4.5" width="18" height="12" rx="2.2"/><path d="M8.5 20h7M12 13.5v-5.5M9.5 10.3 12 7.8l2.5 2.5"/>`,
  "screen-off": svg`<rect x="3" y="4.5" width="18" height="12" rx="2.2"/><path d="M8.5 20h7M10 8.5l4 4M14 8.5l-4 4"/>`,
  chat: svg`<path d="M12 4c5 0 9 3.1 9 7.2s-4 7.2-9 7.2c-1 0-2-.1-2.9-.4L4.5 20l1-3.4C3.9 15.3 3 13.4 3 11.2 3 7.1 7 4 12 4Z"/>`,
  people: svg`<circle cx="9" cy="8.5" r="3.5"/><path d="M2.5 19.5c.6-3.4 3.2-5.5 6.5-5.5s5.9 2.1 6.5 5.5M15.5 5.3a3.5 3.5 0 0 1 0 6.4M18 14.6c1.9.8 3.1 2.5 3.5 4.9"/>`,
  stats: svg`<path d="M4 20V13M9.3 20V8M14.7 20v-9M20 20V4"/>`,
  settings: svg`<path d="M4 7h9M18.5 7H20M4 17h1.5M11 17h9"/><circle cx="15.7" cy="7" r="2.6"/><circle cx="8.2" cy="17" r="2.6"/>`,
  leave: svg`<path d="M10 4H6.5A2.5 2.5 0 0 0 4 6.5v11A2.5 2.5 0 0 0 6.5 20H10M15.5 8l4.5 4-4.5 4M20 12H9.5"/>`,
  link: svg`<path d="M10.5 13.5a4 4 0 0 0 5.7 0l2.6-2.6a4 4 0 0 0-5.7-5.7l-1.3 1.3M13.5 10.5a4 4 0 0 0-5.7 0l-2.6 2.6a4 4 0 0 0 5.7 5.7l1.3-1.3"/>`,
  check: svg`<path d="m5 12.5 4.5 4.5L19 7.5"/>`,
  close: svg`<path d="m6 6 12 12M18 6 6 18"/>`,
  more: svg`<path d="M5.5 12h.01M12 12h.01M18.5 12h.01" stroke-width="3"/>`,
  pin: svg`<path d="M9 3.5h6l-.7 6 3.2 4h-11l3.2-4-.7-6ZM12 13.5v7"/>`,
  help: svg`<circle cx="12" cy="12" r="8.8"/><path d="M9.6 9.5a2.5 2.5 0 1 1 3.6 2.3c-.8.4-1.2.9-1.2 1.8M12 16.7h.01"/>`,
  send: svg`<path d="M4.5 12 3.5 4.5 21 12 3.5 19.5 4.5 12Zm0 0H12"/>`,
  volume: svg`<path d="M4 9.5v5h3.5L12 18.5v-13L7.5 9.5H4ZM15.5 9a4.2 4.2 0 0 1 0 6M18 6.5a7.7 7.7 0 0 1 0 11"/>`,
  warning: svg`<path d="M12 4 2.8 19.5h18.4L12 4ZM12 10v4.5M12 17h.01"/>`,
  remove: svg`<circle cx="10" cy="8.5" r="3.5"/><path d="M3.5 19.5c.6-3.4 3.2-5.5 6.5-5.5 1.5 0 2.8.4 3.9 1.2M16 16l4.5 4.5M20.5 16 16 20.5"/>`,
  back: svg`<path d="M19 12H5M11 6l-6 6 6 6"/>`,
  play: svg`<path d="M7.5 4.8v14.4L19 12 7.5 4.8Z"/>`,
  pause: svg`<path d="M8.5 5v14M15.5 5v14" stroke-width="2.6"/>`,
  stop: svg`<rect x="6.5" y="6.5" width="11" height="11" rx="2" fill="currentColor"/>`,
  again: svg`<path d="M4.5 12a7.5 7.5 0 1 0 2.4-5.5M4.5 4v4.2h4.2"/>`,
  "volume-off": svg`<path d="M4 9.5v5h3.5L12 18.5v-13L7.5 9.5H4ZM16 9.5l5 5M21 9.5l-5 5"/>`,
  "full-screen": svg`<path d="M4 9V5.5A1.5 1.5 0 0 1 5.5 4H9M15 4h3.5A1.5 1.5 0 0 1 20 5.5V9M20 15v3.5a1.5 1.5 0 0 1-1.5 1.5H15M9 20H5.5A1.5 1.5 0 0 1 4 18.5V15"/>`,
  "small-window": svg`<rect x="3" y="4.5" width="18" height="15" rx="2.2"/><rect x="11.5" y="11.5" width="6.5" height="5" rx="1" fill="currentColor"/>`,
  download: svg`<path d="M12 4v11M7.5 10.8 12 15.3l4.5-4.5M5 19.5h14"/>`,
  delete: svg`<path d="M4.5 7h15M9.5 7V4.5h5V7M6.5 7l.8 12.5h9.4L17.5 7M10.3 10.5v5.5M13.700 10.5v5.5"/>`,
  copy: svg`<rect x="9" y="9" width="11" height="11" rx="2.2"/><path d="M15 9V6a2 2 0 0 0-2-2H6a2 2 0 0 0-2 2v7a2 2 0 0 0 2 2h3"/>`,
  broadcast: svg`<circle cx="12" cy="12" r="2.2"/><path d="M8 16a5.6 5.6 0 0 1 0-8M16 8a5.6 5.6 0 0 1 0 8M5.2 18.8a9.6 9.6 0 0 1 0-13.6M18.8 5.2a9.6 9.6 0 0 1 0 13.6"/>`,
  record: svg`<circle cx="12" cy="12" r="8.5"/><circle cx="12" cy="12" r="3.5" fill="currentColor"/>`,
  headphones: svg`<path d="M4 15v-2.5a8 8 0 0 1 16 0V15"/><rect x="3.5" y="14" width="4" height="6" rx="1.6"/><rect x="16.5" y="14" width="4" height="6" rx="1.6"/>`,
  history: svg`<path d="M4 12a8 8 0 1 0 2.5-5.8M4 4v4.2h4.2M12 8v4.3l3 1.900"/>`,
  plus: svg`<path d="M12 5v14M5 12h14"/>`,
  "send-out": svg`<path d="M12 15V4M7.5 8.5 12 4l4.5 4.5M5 15v3a1.5 1.5 0 0 0 1.5 1.5h11A1.5 1.5 0 0 0 19 18v-3"/>`,
} satisfies Record<string, SVGTemplateResult>;

export type IconName = keyof typeof SHAPES;

/** Decoration: the control around it carries the words. */
export function icon(name: IconName, sizePx = 22): TemplateResult {
  return html`<svg
    viewBox="0 0 24 24"
    width=${sizePx}
    height=${sizePx}
    fill="none"
    stroke="currentColor"
    stroke-width="1.8"
    stroke-linecap="round"
    stroke-linejoin="round"
    aria-hidden="true"
  >
    ${SHAPES[name]}
  </svg>`;
}

/** The mark: a stream joins a river. Colours come from the page. */
export function mark(sizePx = 32): TemplateResult {
  return html`<svg viewBox="0 0 32 32" width=${sizePx} height=${sizePx} fill="none" aria-hidden="true">
    <rect width="32" height="32" rx="9" fill="var(--brand)" />
    <path d="M24.5 8.5c0 5.5-7.5 6-7.5 13" stroke="#8fe8d8" stroke-width="4" stroke-linecap="round" />
    <path d="M9 6.5c0 8 8 8.5 8 15.5v4" stroke="#fff" stroke-width="4" stroke-linecap="round" />
  </svg>`;
}
