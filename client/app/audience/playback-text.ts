/** What a page says in place of a picture, for each state of playing that has none. */
import type { PlaybackState } from "./playback.ts";

export interface StateText {
  title: string;
  /** A sentence or two; empty where the title says it all. */
  text: string;
}

/** Undefined where the stream speaks for itself. `live`: a room's stream, not a recording. */
export function playbackText(state: PlaybackState, live: boolean): StateText | undefined {
  switch (state) {
    case "playing":
    case "paused":
      return undefined;
    case "connecting":
      return { title: "Connecting…", text: "" };
    case "stalled":
      return { title: live ? "Waiting for the stream to go on…" : "Loading…", text: "" };
    case "waiting":
      return live
        ? {
            title: "Not streaming right now",
            text: "It starts here by itself as soon as there is something to see. You can leave this page open.",
          }
        : { title: "The recording has gone", text: "It may have been deleted while you were watching." };
    case "missing":
      return { title: "There is no such recording", text: "It may have been deleted, or its time was up." };
    case "unreachable":
      return {
        title: live ? "The stream cannot be reached" : "The recording cannot be reached",
        text: "Check your connection. We are trying again by ourselves.",
      };
    case "broken":
      return {
        title: "This browser cannot play it",
        text: "We are trying again. If that does not help, try a current version of Chrome, Firefox, Edge or Safari.",
      };
    case "finished":
      return live
        ? { title: "The stream has ended", text: "If it goes live again, it starts here by itself." }
        : { title: "", text: "" };
  }
}
