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
