/**
 * Scenes of the web app with a fake room, for looking at and for screenshots: `gallery.html?scene=room-4`.
 * Served by Vite in development; not part of the built app.
 */
import { html, render, type TemplateResult } from "lit";
import { endingOf, leftEnding } from "../endings.ts";
import "../components/ended-page.ts";
import "../components/joining-page.ts";
import "../components/room-page.ts";
import type { RoomPage } from "../components/room-page.ts";
import { type FakePerson, FakeRoom } from "./fake-room.ts";

const PEOPLE: readonly FakePerson[] = [
  { name: "Ada Okafor", camera: true, microphone: "on" },
  { name: "Søren Lindqvist", camera: true, microphone: "muted" },
  { name: "Mei-Ling Chen", camera: false, microphone: "on" },
  { name: "Tomás Herrera", camera: true, microphone: "on", upright: true },
  { name: "Priya Raghunathan-Venkataraman", camera: true, microphone: "none" },
  { name: "Jonas", camera: false, microphone: "muted" },
  { name: "Hana Sato", camera: true, microphone: "on" },
  { name: "Oluwaseun Bello", camera: true, microphone: "on" },
];

interface Scene {
  others: number;
  screen?: boolean;
  admin?: boolean;
  own?: boolean;
  /** What to press (a keyboard shortcut) once it stands. */
  press?: string;
  after?(room: FakeRoom, page: RoomPage): void;
}

const SCENES: Readonly<Record<string, Scene>> = {
  "room-1": { others: 0 },
  "room-2": { others: 1 },
  "room-3": { others: 2 },
  "room-4": { others: 3 },
  "room-9": { others: 8 },
  "room-40": { others: 39 },
  screen: { others: 4, screen: true },
  chat: { others: 3, press: "c", after: talk },
  unread: { others: 2, after: talk },
  people: { others: 6, press: "p", admin: true },
  stats: { others: 3, press: "i" },
  help: { others: 1, press: "?" },
  settings: { others: 1, after: (_room, page) => openSettings(page) },
  reconnecting: {
    others: 1,
    after: (room) => room.emit("state", { state: "reconnecting", reason: "The relay stopped answering." }),
  },
  undecodable: { others: 3, after: undecodable },
  trouble: { others: 1, own: false, after: trouble },
};

const PAGES: Readonly<Record<string, () => TemplateResult>> = {
  left: () => html`<tributary-ended .ending=${leftEnding("quiet-brook-27")}></tributary-ended>`,
  removed: () => html`<tributary-ended .ending=${endingOf("removed", "")}></tributary-ended>`,
  lost: () => html`<tributary-ended .ending=${endingOf("lost", "")}></tributary-ended>`,
  joining: () => html`<tributary-joining room="quiet-brook-27"></tributary-joining>`,
};

/** Somebody sends what this browser cannot show. */
function undecodable(room: FakeRoom): void {
  for (const { tracks } of [...room.participants.values()].slice(1)) {
    for (const track of tracks.values())
      if (track.kind === "video")
        track.problem = "This picture is sent in AV1, which this browser cannot show.";
  }
  room.emit("speakers", { identities: [] });
}

async function show(name: string): Promise<void> {
  const page = PAGES[name];
  if (page !== undefined) return void render(page(), document.body);
  const scene = SCENES[name];
  if (scene === undefined) {
    const links = [...Object.keys(SCENES), ...Object.keys(PAGES)];
    render(
      html`<ul>${links.map((link) => html`<li><a href="?scene=${link}">${link}</a></li>`)}</ul>`,
      document.body,
    );
    return;
  }
  const people = Array.from({ length: scene.others }, (_, index): FakePerson => {
    const person = PEOPLE[index % PEOPLE.length] ?? { name: "Somebody", camera: false, microphone: "on" };
    return { ...person, screen: scene.screen === true && index === 0 };
  });
  const room = new FakeRoom(people, scene.admin === true);
  if (scene.own !== false) await Promise.all([room.publishCamera(), room.publishMicrophone()]);
  if (people.length > 0) room.speakers = ["p0"];
  render(html`<tributary-room .room=${room}></tributary-room>`, document.body);
  const element = document.querySelector<RoomPage>("tributary-room");
  await element?.updateComplete;
  if (scene.press !== undefined) window.dispatchEvent(new KeyboardEvent("keydown", { key: scene.press }));
  if (element) scene.after?.(room, element);
}

function talk(room: FakeRoom): void {
  const start = Date.now() - 9 * 60_000;
  const say = (from: string, name: string, text: string, minute: number) =>
    room.say(from, name, text, new Date(start + minute * 60_000));
  say("p0", "Ada Okafor", "Morning! The gauge figures are in.", 0);
  say("p0", "Ada Okafor", "Slides: https://example.org/river/levels-spring", 0.4);
  say("p1", "Søren Lindqvist", "Thanks. Is the lower weir back in service?", 2);
  say("me", room.displayName, "Since Tuesday, yes. I will show it in a minute.", 3);
  say("p2", "Mei-Ling Chen", "👍", 8);
}

function trouble(room: FakeRoom): void {
  room.needsGesture = true;
  room.emit("problem", {
    code: "device-lost",
    message: "Joined without camera. No camera was found. Plug one in, then press the camera button.",
  });
}

function openSettings(page: RoomPage): void {
  const bar = page.renderRoot.querySelector("tributary-control-bar");
  bar?.dispatchEvent(new CustomEvent("action", { detail: "settings" }));
}

void show(new URL(location.href).searchParams.get("scene") ?? "");
