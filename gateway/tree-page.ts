/**
 * The page that draws a room's tree of relays (/tree), for operators. Text, style and one script, all in it: it needs no other host, and
 * its policy allows nothing else to run. The API key stays in the tab's session storage.
 */
import { treePageScript } from "./tree-page-script.ts";

const STYLE = `
:root { color-scheme: light dark; --line: #8884; --soft: #8882; --accent: light-dark(#0b57d0, #8ab4f8);
  --page: light-dark(#fff, #15181c); --box: light-dark(#f6f8fa, #20252b); --text: light-dark(#1b1f24, #e6e8ea); --quiet: light-dark(#57606a, #a0a8b0);
  --good: light-dark(#1a7f37, #3fb950); --fair: light-dark(#9a6700, #e3b341); --poor: light-dark(#bc4c00, #f0883e); --bad: light-dark(#cf222e, #ff6b64); }
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0; padding: 1rem; background: var(--page); color: var(--text); }
header, form, #message, #summary, #legend, details { max-width: 60rem; margin: 0 auto .75rem; }
h1 { font-size: 1.25rem; margin: 0; }
a { color: var(--accent); }
form { display: flex; flex-wrap: wrap; gap: .5rem .75rem; align-items: end; }
label { display: grid; gap: .125rem; flex: 1 1 12rem; font-size: .875rem; color: var(--quiet); }
input, button { font: inherit; font-size: 1rem; line-height: 1.4; padding: .4rem .6rem; border: 1px solid var(--line); border-radius: .4rem; background: var(--box); color: var(--text); min-width: 0; width: 100%; }
button { width: auto; flex: 0 0 auto; background: var(--accent); border-color: var(--accent); color: var(--page); cursor: pointer; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
#message { padding: .6rem .8rem; border-radius: .4rem; background: var(--soft); }
#message.bad { border-left: 4px solid var(--bad); }
#message:empty, #summary:empty, #legend:empty { display: none; }
#summary { display: flex; flex-wrap: wrap; gap: 0 1.25rem; }
#summary b { font-variant-numeric: tabular-nums; }
#legend { display: flex; flex-wrap: wrap; gap: .1rem 1rem; font-size: .8125rem; color: var(--quiet); }
#legend span { display: inline-flex; align-items: center; gap: .35rem; }
#legend i { width: .8rem; height: .8rem; border-radius: .2rem; }
#legend i.line { width: 1.2rem; height: .25rem; border-radius: 0; }
#drawing { overflow-x: auto; margin: 0 0 1rem; }
#drawing.stale { opacity: .4; }
#drawing svg { display: block; margin: 0 auto; font: 13px/1.3 system-ui, sans-serif; }
svg text { fill: var(--text); font-variant-numeric: tabular-nums; }
svg .id { font-weight: 600; font-size: 14px; }
svg .label { font-size: 12px; }
svg .quiet { fill: var(--quiet); }
svg .box { fill: var(--box); stroke: var(--line); }
svg .missing { stroke: var(--bad); stroke-dasharray: 5 4; fill: var(--page); }
svg .badge { fill: var(--soft); }
svg .ground { fill: var(--page); }
svg .trunk { fill: none; stroke: var(--line); stroke-width: 2; }
svg .link { fill: none; stroke-width: 4; stroke-linecap: round; }
svg .quiet-link { stroke-dasharray: 2 8; }
.good { stroke: var(--good); background: var(--good); } .fair { stroke: var(--fair); background: var(--fair); }
.poor { stroke: var(--poor); background: var(--poor); } .bad-line { stroke: var(--bad); background: var(--bad); }
.none { stroke: var(--quiet); background: var(--quiet); }
svg text.good { fill: var(--good); stroke: none; } svg text.fair { fill: var(--fair); stroke: none; }
svg text.poor { fill: var(--poor); stroke: none; } svg text.bad-line { fill: var(--bad); stroke: none; }
svg text.none { fill: var(--quiet); stroke: none; }
${regionColours()}
details { border: 1px solid var(--line); border-radius: .5rem; padding: .4rem .8rem; }
summary { cursor: pointer; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .8125rem; font-variant-numeric: tabular-nums; white-space: nowrap; }
th, td { text-align: right; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { text-align: left; }
[hidden] { display: none !important; }
`;

/** Far apart in hue, and told apart in both schemes. */
function regionColours(): string {
  const hues = ["#4c8bf5", "#e0821e", "#12a594", "#b154c9", "#d6487e", "#7c9a1f", "#8d6e4f", "#6e7fa3"];
  return hues.map((hue, i) => `.region-${i} { fill: ${hue}; background: ${hue}; }`).join("\n");
}

const BODY = `
<header><h1>The tree of a room</h1></header>
<form id="ask">
<label>Room<input id="room" required maxlength="64" autocomplete="off" autocapitalize="none" spellcheck="false"></label>
<label>API key (id:secret)<input id="key" type="password" required autocomplete="off"></label>
<button>Show</button>
</form>
<p id="message" role="status">Enter a room and an API key of this gateway. The key is kept in this tab only, until it is closed.</p>
<p id="summary"></p>
<p id="legend"></p>
<div id="drawing"></div>
<details id="figures" hidden><summary>All figures of the links</summary><div class="scroll"><table><thead></thead><tbody></tbody></table></div></details>
`;

/** The page, and the policy that it is served with. */
export async function treePage(): Promise<{ html: string; policy: string }> {
  const policy = [
    "default-src 'none'",
    `script-src ${await hashSource(treePageScript)}`,
    `style-src ${await hashSource(STYLE)}`,
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
  const html = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>The tree of a room - Tributary</title><style>${STYLE}</style></head><body>${BODY}<script>${treePageScript}</script></body></html>`;
  return { html, policy };
}

async function hashSource(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return `'sha256-${btoa(String.fromCharCode(...new Uint8Array(digest)))}'`;
}
