/**
 * What runs in the page /tree (gateway/tree-page.ts): asks the gateway each second and draws. Plain text for the browser, since a gateway
 * has no build step; what relays say goes into the page as text only. Two ways to draw: floors below one another where there is room, else indented.
 */
export const treePageScript = String.raw`"use strict";
const POLL_MS = 1000, PATIENCE_MS = 12000, MAX_RATES = 1000;
const BOX = { width: 212, height: 66 }, GAP = 28, MARGIN = 14, FLOOR = 176, INDENT = 30, LABEL = 46, MAX_DEPTH = 8;
const REGION_COLOURS = 8;
const $ = (id) => document.getElementById(id);
const rates = new Map();
let asking = 0, timer = 0, newest, shownAt = 0;

/* ---- asking ---- */

function remember(name, value) {
  try { sessionStorage.setItem("tributary-tree-" + name, value); } catch { /* Kept by the form alone then. */ }
}
function remembered(name) {
  try { return sessionStorage.getItem("tributary-tree-" + name) || ""; } catch { return ""; }
}

function start() {
  asking++;
  clearTimeout(timer);
  rates.clear();
  newest = undefined;
  const room = $("room").value.trim(), key = $("key").value.trim();
  remember("room", room);
  remember("key", key);
  clear();
  say("Asking the gateway.");
  void ask(room, key, asking);
}

async function ask(room, key, turn) {
  let pauseMs = POLL_MS;
  if (!document.hidden) {
    const abort = new AbortController();
    const deadline = setTimeout(() => abort.abort(), PATIENCE_MS);
    try {
      const response = await fetch("/v1/rooms/" + encodeURIComponent(room) + "/tree", {
        headers: { authorization: "Bearer " + key }, cache: "no-store", credentials: "omit", signal: abort.signal });
      const body = await response.json();
      if (turn !== asking) return;
      if (response.ok) show(body);
      else pauseMs = refused(response, body, room);
    } catch (error) {
      if (turn !== asking) return;
      stale("The gateway does not answer" + (newest ? "; this is what it said at " + timeOf(shownAt) : "") + ". Trying again.");
    } finally {
      clearTimeout(deadline);
    }
  }
  if (turn === asking && pauseMs > 0) timer = setTimeout(() => void ask(room, key, turn), pauseMs);
}

/** How long to wait before asking again; 0: not at all. */
function refused(response, body, room) {
  const detail = typeof body.detail === "string" ? body.detail : "It said status " + response.status + ".";
  if (response.status === 404) {
    clear();
    say("Nobody is in the room " + room + " now. Its tree is drawn as soon as somebody joins.");
    return POLL_MS;
  }
  if (response.status === 401 || response.status === 400) {
    clear();
    say(detail, true);
    $(response.status === 401 ? "key" : "room").focus();
    return 0;
  }
  stale(detail);
  const seconds = Number(response.headers.get("retry-after"));
  return Math.max(POLL_MS, seconds > 0 ? Math.min(60, seconds) * 1000 : 0);
}

/* ---- showing ---- */

function say(text, isBad) {
  $("message").textContent = text;
  $("message").className = isBad ? "bad" : "";
}
function stale(text) {
  $("drawing").className = "stale";
  say(text, true);
}
function clear() {
  newest = undefined;
  for (const id of ["summary", "legend", "drawing"]) $(id).replaceChildren();
  $("figures").hidden = true;
}
function timeOf(ms) {
  return new Date(ms).toLocaleTimeString();
}

function show(tree) {
  shownAt = Date.now();
  newest = tree;
  const nodes = flat([tree.root, ...tree.adrift]);
  measure(nodes);
  const missing = nodes.filter((node) => !node.reachable).map((node) => node.relayId);
  if (missing.length > 0) say("No answer from " + missing.join(", ") + ": drawn from what other relays say.", true);
  else if (tree.provisional) say("The root has not been confirmed by the directory, which does not answer it.", true);
  else say("");
  const facts = [
    ["Room", tree.room], ["participants", tree.participants], ["tracks", tree.tracks], ["relays", nodes.length],
    ["epoch", tree.epoch], ["at", timeOf(shownAt)]];
  $("summary").replaceChildren(...facts.map(([name, value], i) => {
    const fact = document.createElement("span"), strong = document.createElement("b");
    strong.textContent = String(value);
    if (i === 0 || i > 3) fact.append(name + " ", strong);
    else fact.append(strong, " " + (value === 1 ? name.slice(0, -1) : name));
    return fact;
  }));
  $("drawing").className = "";
  draw(tree, nodes);
  fillFigures(nodes);
}

/** Every relay once, those above first. */
function flat(roots) {
  const nodes = [];
  const walk = (node, parent, depth) => {
    nodes.push(Object.assign(node, { parent, depth: Math.min(depth, MAX_DEPTH) }));
    for (const child of node.children) walk(child, node, depth + 1);
  };
  for (const root of roots) walk(root, undefined, 0);
  return nodes;
}

/** Down is away from the root. The side that sends knows best what is lost. */
function measure(nodes) {
  const nowMs = performance.now();
  if (rates.size > MAX_RATES) rates.clear();
  for (const node of nodes) {
    const { down, up } = node.link || {};
    if (!down && !up) continue;
    const before = rates.get(node.relayId);
    const bytes = { down: down ? down.bytesSent : up.bytesReceived, up: up ? up.bytesSent : down.bytesReceived };
    const now = { parent: node.parent && node.parent.relayId, bytes, nowMs, bps: { down: undefined, up: undefined } };
    const sameLink = before && before.parent === now.parent && bytes.down >= before.bytes.down && bytes.up >= before.bytes.up;
    if (sameLink) for (const way of ["down", "up"]) {
      const bps = (bytes[way] - before.bytes[way]) * 8000 / Math.max(1, nowMs - before.nowMs);
      now.bps[way] = before.bps[way] === undefined ? bps : (before.bps[way] + bps) / 2;
    }
    rates.set(node.relayId, now);
    node.figures = {
      bps: now.bps,
      rttMs: down && down.rttMs !== null ? down.rttMs : up ? up.rttMs : null,
      loss: { down: down ? down.lossOut : up.lossIn, up: up ? up.lossOut : down.lossIn },
      silent: Boolean((down && down.silent) || (up && up.silent)),
      leaving: Boolean((down && down.leaving) || (up && up.leaving)) };
  }
}

function ratePhrase(bps) {
  if (bps === undefined || bps === null) return "\u2013";
  if (bps < 1e6) return Math.round(bps / 1e3) + " kb/s";
  return (bps / 1e6).toFixed(bps < 1e7 ? 1 : 0) + " Mb/s";
}
function lossPhrase(share) {
  return (share * 100).toFixed(share > 0 && share < 0.1 ? 1 : 0) + " %";
}
function lossClass(figures) {
  if (!figures || figures.silent || figures.leaving) return "none";
  const worst = Math.max(figures.loss.down, figures.loss.up);
  return worst < 0.005 ? "good" : worst < 0.02 ? "fair" : worst < 0.05 ? "poor" : "bad-line";
}

/* ---- drawing ---- */

function svg(name, attributes, text) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  if (text !== undefined) element.textContent = text;
  return element;
}
function short(text, length) {
  return text.length > length ? text.slice(0, length - 1) + "\u2026" : text;
}

function draw(tree, nodes) {
  const roots = [tree.root, ...tree.adrift];
  const wide = spread(roots);
  const isWide = wide.width <= $("drawing").clientWidth;
  const size = isWide ? wide : stack(nodes);
  const names = [...new Set(nodes.map((node) => node.region))].sort();
  const colour = new Map(names.map((name, i) => [name, "region-" + (i % REGION_COLOURS)]));
  const picture = svg("svg", { width: size.width, height: size.height, role: "img" });
  picture.append(svg("title", {}, "The tree of relays of room " + tree.room));
  const linked = nodes.filter((node) => node.parent);
  for (const node of linked) picture.append(...lineTo(node, isWide));
  for (const node of linked) picture.append(...labelOf(node, isWide));
  for (const node of nodes) picture.append(boxOf(node, tree, colour.get(node.region)));
  $("drawing").replaceChildren(picture);
  const swatch = (kind, text) => {
    const entry = document.createElement("span"), mark = document.createElement("i");
    mark.className = kind;
    entry.append(mark, text);
    return entry;
  };
  $("legend").replaceChildren(
    ...names.map((name) => swatch(colour.get(name), name || "no region")),
    ...(linked.length === 0 ? [] : [["good", "loss below 0.5 %"], ["fair", "below 2 %"], ["poor", "below 5 %"], ["bad-line", "5 % or more"], ["none", "silent or ending"]]
      .map(([kind, text]) => swatch("line " + kind, text))));
}

/** Floors below one another, each relay above the middle of those under it. */
function spread(roots) {
  let height = 0;
  const put = (node, left) => {
    height = Math.max(height, node.depth * FLOOR + BOX.height);
    let right = left;
    for (const child of node.children) right = put(child, right) + GAP;
    const end = Math.max(left + BOX.width, right - (node.children.length > 0 ? GAP : 0));
    const first = node.children[0], last = node.children.at(-1);
    node.x = first ? (first.x + last.x) / 2 : left;
    node.y = node.depth * FLOOR + 4;
    return end;
  };
  let left = MARGIN;
  for (const root of roots) left = put(root, left) + GAP;
  return { width: left - GAP + MARGIN, height: height + 8 };
}

/** One below the other, indented by floor: for narrow screens and broad trees. */
function stack(nodes) {
  let y = 4, width = 0;
  for (const node of nodes) {
    if (node.parent) y += LABEL;
    else if (y > 4) y += GAP;
    node.x = 4 + node.depth * INDENT;
    node.y = y;
    y += BOX.height + 6;
    width = Math.max(width, node.x + BOX.width + 60);
  }
  return { width, height: y };
}

function lineTo(node, isWide) {
  const from = node.parent, kind = lossClass(node.figures);
  const classes = "link " + kind + (kind === "none" ? " quiet-link" : "");
  const top = from.y + BOX.height;
  if (isWide) {
    const x1 = from.x + BOX.width / 2, x2 = node.x + BOX.width / 2, bend = top + 34;
    return [svg("path", { class: classes, d: ["M", x1, top, "C", x1, bend, x2, top, x2, bend + 16, "L", x2, node.y].join(" ") })];
  }
  const x = from.x + 12, middle = node.y + BOX.height / 2;
  return [
    svg("path", { class: "trunk", d: ["M", x, top, "L", x, middle].join(" ") }),
    svg("path", { class: classes, d: ["M", x, middle, "L", node.x, middle].join(" ") })];
}

/** What the link does, just above the lower relay. */
function labelOf(node, isWide) {
  const { figures } = node;
  const first = figures === undefined ? "nothing is known of this link"
    : (figures.rttMs === null ? "RTT \u2013" : "RTT " + Math.round(figures.rttMs) + " ms") + "   \u2193 " + ratePhrase(figures.bps.down) + "   \u2191 " + ratePhrase(figures.bps.up);
  const second = figures === undefined ? "" : figures.silent ? "silent" : figures.leaving ? "ending"
    : "loss \u2193 " + lossPhrase(figures.loss.down) + "   \u2191 " + lossPhrase(figures.loss.up);
  const x = isWide ? node.x + BOX.width / 2 : node.x + 2, y = node.y - (isWide ? 34 : 26);
  const anchor = isWide ? "middle" : "start";
  const ground = isWide ? [svg("rect", { class: "ground", x: x - BOX.width / 2 - 6, y: y - 15, width: BOX.width + 12, height: 40, rx: 4 })] : [];
  return [...ground,
    svg("text", { class: "quiet label", x, y, "text-anchor": anchor }, first),
    svg("text", { class: "label " + lossClass(figures), x, y: y + 17, "text-anchor": anchor }, second)];
}

function boxOf(node, tree, colour) {
  const group = svg("g", {});
  const role = node.relayId === tree.root.relayId ? "root" : node.relayId === tree.deputy ? "deputy" : node.parent ? "" : "adrift";
  const roleWidth = role === "" ? 0 : role.length * 7 + 14;
  const right = node.x + BOX.width - 8;
  group.append(
    svg("title", {}, node.relayId + (node.region ? " in " + node.region : "")),
    svg("rect", { class: node.reachable ? "box" : "box missing", x: node.x, y: node.y, width: BOX.width, height: BOX.height, rx: 8 }),
    svg("rect", { class: colour, x: node.x, y: node.y, width: 6, height: BOX.height, rx: 3 }),
    svg("text", { class: "id", x: node.x + 16, y: node.y + 20 }, short(node.relayId, Math.floor((BOX.width - 30 - roleWidth) / 8))),
    svg("text", { class: "quiet", x: node.x + 16, y: node.y + 38 }, short(node.region || "no region", 24)),
    svg("text", {}, ""));
  const count = node.participants;
  const people = !node.reachable ? "does not answer" : count === 1 ? "1 participant" : count + " participants";
  group.append(svg("text", { x: node.x + 16, y: node.y + 56 }, people));
  if (role !== "") group.append(
    svg("rect", { class: "badge", x: right - roleWidth, y: node.y + 7, width: roleWidth, height: 18, rx: 9 }),
    svg("text", { class: "quiet", x: right - roleWidth / 2, y: node.y + 20, "text-anchor": "middle", "font-size": 12 }, role));
  return group;
}

/* ---- figures ---- */

const COLUMNS = [
  ["link", (node, way, from) => from],
  ["RTT", (node, way, from, end) => end.rttMs === null ? "\u2013" : end.rttMs.toFixed(1) + " ms"],
  ["loss", (node, way) => lossPhrase(node.figures.loss[way])],
  ["rate", (node, way) => ratePhrase(node.figures.bps[way])],
  ["carries", (node, way, from, end) => end.sendRateBps === null ? "no limit met" : ratePhrase(end.sendRateBps)],
  ["queue", (node, way, from, end) => Math.round(end.queueMs) + " ms"],
  ["tracks", (node, way, from, end) => String(end.tracksOut)],
  ["datagrams", (node, way, from, end) => end.datagramsSent.toLocaleString()],
  ["repairs", (node, way, from, end) => end.repairsSent.toLocaleString()],
  ["state", (node) => node.figures.silent ? "silent" : node.figures.leaving ? "ending" : "up"]];

/** One line for each way of a link, as the relay that sends measures it. */
function fillFigures(nodes) {
  const row = (cells, kind) => {
    const line = document.createElement("tr");
    for (const text of cells) line.append(Object.assign(document.createElement(kind), { textContent: text }));
    return line;
  };
  const lines = nodes.flatMap((node) => [["down", node.link && node.link.down], ["up", node.link && node.link.up]].flatMap(([way, end]) => {
    if (!end || !node.parent) return [];
    const ends = way === "down" ? [node.parent.relayId, node.relayId] : [node.relayId, node.parent.relayId];
    return [row(COLUMNS.map(([, cell]) => cell(node, way, ends.join(" \u2192 "), end)), "td")];
  }));
  const table = $("figures");
  table.querySelector("thead").replaceChildren(row(COLUMNS.map(([name]) => name), "th"));
  table.querySelector("tbody").replaceChildren(...lines);
  table.hidden = lines.length === 0;
}

/* ---- beginning ---- */

$("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  start();
});
addEventListener("resize", () => {
  if (newest) draw(newest, flat([newest.root, ...newest.adrift]));
});
$("room").value = remembered("room");
$("key").value = remembered("key");
if ($("room").value && $("key").value) start();
else $("room").focus();
`;
