/** A browser page in a room, whoever drives it, used through the address bar and `window.tributary.room`, as docs/sdk.md has them. */
import type { Page } from "playwright-core";
import type { Room, RoomStats, TrackStats } from "../../client/sdk/api.ts";
import type { DrivenPage } from "./driven-page.ts";
import { type HeardWindow, listen, look } from "./page-probe.ts";
import { judge, LAYOUT, type PictureVerdict } from "./picture.ts";
import { TONE_HZ } from "./test-clip.ts";

declare global {
  interface Window {
    tributary: { room: Room | undefined };
  }
}

const JOIN_TIMEOUT_MS = 20_000;
const LOOK_PAUSE_MS = 50;
/** Half a bin of the analyser either way, and some. */
const TONE_TOLERANCE_HZ = 25;
/** Quieter windows are pauses between beats. */
const LOUD = 0.02;

const TRIES = 10;

/** The first measurement that is good, or the last: a machine that is busy for a moment fails nothing. */
export async function untilGood<T>(measure: () => Promise<T>, isGood: (value: T) => boolean): Promise<T> {
  let value = await measure();
  for (let i = 1; i < TRIES && !isGood(value); i++) value = await measure();
  return value;
}

export class RoomPage<Driven extends DrivenPage = Page> {
  readonly page: Driven;
  readonly identity: string;

  private constructor(page: Driven, identity: string) {
    this.page = page;
    this.identity = identity;
  }

  /** Opens the room with a join token and waits until the session stands. */
  static async join<Driven extends DrivenPage>(
    page: Driven,
    url: string,
    room: string,
    token: string,
  ): Promise<RoomPage<Driven>> {
    await page.goto(`${url}/r/${room}?join=1&token=${encodeURIComponent(token)}`);
    await page.waitForFunction(() => window.tributary?.room?.state === "connected", undefined, {
      timeout: JOIN_TIMEOUT_MS,
    });
    return new RoomPage(page, await page.evaluate(() => window.tributary.room?.identity ?? ""));
  }

  /** Waits until every source of `identity` is here, and puts its camera on a canvas of its own for the tests to read. */
  async seeCamera(identity: string): Promise<void> {
    await this.page.waitForFunction(
      (who) => {
        const tracks = [...(window.tributary.room?.participants.get(who)?.tracks.values() ?? [])];
        const camera = tracks.find((track) => track.source === "camera");
        if (camera === undefined) return false;
        const element = camera.attach();
        element.id = `seen-${who}`;
        element.style.cssText = "position:fixed;right:0;bottom:0;width:320px;height:180px;z-index:9999";
        document.body.append(element);
        return true;
      },
      identity,
      { timeout: JOIN_TIMEOUT_MS },
    );
  }

  /** What the canvas of `seeCamera` shows; undefined while it shows no frame of the clip. */
  async picture(identity: string): Promise<PictureVerdict | undefined> {
    return judge(await this.page.evaluate(look, { selector: `#seen-${identity}`, layout: LAYOUT }));
  }

  /** The first frame of the clip on that canvas. */
  async firstPicture(identity: string): Promise<PictureVerdict> {
    const endMs = performance.now() + JOIN_TIMEOUT_MS;
    while (performance.now() < endMs) {
      const seen = await this.picture(identity);
      if (seen !== undefined) return seen;
      // Looking costs the page time that it needs to play.
      await this.page.waitForTimeout(LOOK_PAUSE_MS);
    }
    throw new Error(`${this.identity} sees no picture of ${identity}`);
  }

  listen(forMs: number): Promise<HeardWindow[]> {
    return this.page.evaluate(listen, forMs);
  }

  stats(): Promise<RoomStats> {
    return this.page.evaluate(async () => {
      const { room } = window.tributary;
      if (room === undefined) throw new Error("not in a room");
      return room.getStats();
    });
  }

  /** Inbound figures of a participant's camera or microphone. */
  async inbound(identity: string, kind: "audio" | "video"): Promise<TrackStats> {
    const { tracks } = await this.stats();
    const found = tracks.find(
      (track) => track.direction === "inbound" && track.participant === identity && track.kind === kind,
    );
    if (found === undefined) throw new Error(`${this.identity} receives no ${kind} of ${identity}`);
    return found;
  }

  /** Frames of that camera rendered a second, over `forMs`. */
  async renderedRate(identity: string, forMs: number): Promise<number> {
    const before = await this.inbound(identity, "video");
    const startMs = performance.now();
    await this.page.waitForTimeout(forMs);
    const after = await this.inbound(identity, "video");
    const frames = (after.framesRendered ?? 0) - (before.framesRendered ?? 0);
    return (frames * 1000) / (performance.now() - startMs);
  }

  /** Waits in the page for a condition on the room and answers how long it took, by the page's own clock. */
  async timeUntil(condition: (args: { identity: string }) => boolean, identity: string): Promise<number> {
    const startMs = performance.now();
    await this.page.waitForFunction(condition, { identity }, { polling: 20, timeout: JOIN_TIMEOUT_MS });
    return performance.now() - startMs;
  }
}

/** What of a recording is the clip's tone. */
export interface ToneVerdict {
  /** Share of the windows with a sound in them. */
  loudShare: number;
  /** Share of those whose strongest frequency is the tone's. */
  toneShare: number;
}

export function judgeTone(heard: readonly HeardWindow[]): ToneVerdict {
  const loud = heard.filter((window) => window.rms > LOUD);
  const right = loud.filter((window) => Math.abs(window.peakHz - TONE_HZ) <= TONE_TOLERANCE_HZ);
  return {
    loudShare: loud.length / heard.length,
    toneShare: loud.length === 0 ? 0 : right.length / loud.length,
  };
}
