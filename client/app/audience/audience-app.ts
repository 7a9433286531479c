/** The pages of the audience: which one the address is for, and going between recordings without loading anew. */
import { html, LitElement } from "lit";
import { audienceStyles } from "../styles/audience.ts";
import { controls } from "../styles/controls.ts";
import { type AudienceRoute, parseAudienceRoute } from "./audience-route.ts";
import { pageHead } from "./page-head.ts";
import "./history-page.ts";
import "./listen-page.ts";
import "./recording-page.ts";
import "./watch-page.ts";

class AudienceApp extends LitElement {
  static override properties = { route: { state: true } };
  static override styles = [controls, audienceStyles];
  declare route: AudienceRoute;

  constructor() {
    super();
    this.route = parseAudienceRoute(new URL(location.href));
  }

  override connectedCallback(): void {
    super.connectedCallback();
    window.addEventListener("popstate", this.#navigated);
    this.addEventListener("click", this.#clicked);
    this.addEventListener("go", this.#asked);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.removeEventListener("popstate", this.#navigated);
  }

  override render() {
    const { route } = this;
    document.title = titleOf(route);
    switch (route.page) {
      case "watch":
        return html`<tributary-watch .room=${route.room}></tributary-watch>`;
      case "listen":
        return html`<tributary-listen .room=${route.room}></tributary-listen>`;
      case "history":
        return html`<tributary-history .room=${route.room}></tributary-history>`;
      case "recording":
        return html`<tributary-recording .recordingId=${route.id}></tributary-recording>`;
      case "unknown":
        return html`${pageHead("none", "")}
          <main><h1>There is no such page</h1>
            <p class="soft">Check the address, or <a href="/">go to the start page</a>.</p></main>`;
    }
  }

  /** Links between lists and recordings stay in this document; everything else is the browser's. */
  #clicked = (event: MouseEvent): void => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey)
      return;
    const link = event.composedPath().find((target) => target instanceof HTMLAnchorElement);
    if (
      link === undefined ||
      link.target !== "" ||
      link.hasAttribute("download") ||
      link.origin !== location.origin
    )
      return;
    if (!/^\/history(\/|$)/.test(link.pathname)) return;
    event.preventDefault();
    this.#go(link.pathname + link.search);
  };

  /** `go`: detail is a path. */
  #asked = (event: Event): void => this.#go((event as CustomEvent<string>).detail);

  #go(path: string): void {
    history.pushState(null, "", path);
    this.#navigated();
    window.scrollTo(0, 0);
  }

  #navigated = (): void => {
    this.route = parseAudienceRoute(new URL(location.href));
  };
}

function titleOf(route: AudienceRoute): string {
  switch (route.page) {
    case "watch":
      return route.room === "" ? "Watch · Tributary" : `${route.room}: watch · Tributary`;
    case "listen":
      return route.room === "" ? "Listen · Tributary" : `${route.room}: listen · Tributary`;
    case "history":
      return route.room === "" ? "Recordings · Tributary" : `${route.room}: recordings · Tributary`;
    case "recording":
      return "Recording · Tributary";
    case "unknown":
      return "Tributary";
  }
}

customElements.define("tributary-audience", AudienceApp);
