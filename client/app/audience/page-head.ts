/** The head of every page for the audience: the mark, and the ways to watch, listen and look back. */
import { html, nothing } from "lit";
import { type IconName, icon, mark } from "../icons.ts";
import { historyPath, listenPath, watchPath } from "./audience-route.ts";

/** `room` is empty on pages that are about none. */
export function pageHead(here: "watch" | "listen" | "history" | "none", room: string) {
  const way = (page: typeof here, path: string, name: IconName, text: string) =>
    html`<a href=${path} aria-current=${page === here ? "page" : nothing}>${icon(name, 19)} ${text}</a>`;
  return html`<header class="head">
    <a class="brand" href="/" aria-label="Tributary, to the start page">${mark(32)}<span>Tributary</span></a>
    <nav aria-label="Pages">
      ${
        room === ""
          ? nothing
          : [
              way("watch", watchPath(room), "play", "Watch"),
              way("listen", listenPath(room), "headphones", "Listen"),
            ]
      }
      ${way("history", historyPath(room), "history", "Recordings")}
    </nav>
  </header>`;
}
