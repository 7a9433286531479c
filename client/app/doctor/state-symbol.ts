/** The small round sign of what became of a check. Decoration: the words say it too. */
import { html } from "lit";
import type { CheckState } from "../../sdk/index.ts";
import { type IconName, icon } from "../icons.ts";

const ICONS: Partial<Record<CheckState, IconName>> = { ok: "check", warning: "warning", failed: "close" };

export function stateSymbol(state: CheckState, sizePx: number) {
  const name = ICONS[state];
  return html`<span class="symbol ${state}">${name === undefined ? "" : icon(name, sizePx)}</span>`;
}
