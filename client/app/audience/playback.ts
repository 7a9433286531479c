/**
 * Playing a stream from the first look at its address to its end: waits where nothing is streamed, opens a source, plays
 * without sound where the browser wants a tap first, stays at the live edge, and looks again when the source gives up.
 */
import type { ReactiveController, ReactiveControllerHost } from "lit";
import { sentenceOf } from "../error-sentence.ts";
import { chooseSource } from "./choose-source.ts";
import type { Quality } from "./player-text.ts";
import { lookAtStream, type StreamLook } from "./playlist-look.ts";
import { retryDelayMs } from "./retry-delay.ts";
import { ClockOffset, ShownLatency } from "./stream-latency.ts";
import type { SourceLoss, StreamSource, TimeWindow } from "./stream-source.ts";

export type PlaybackState =
  /** The first look is under way, or the source is being opened. */
  | "connecting"
  /** Nothing is streamed at this address now; looked at again by itself. */
  | "waiting"
  /** The recording is not there. */
  | "missing"
  /** No answer, or none that makes sense; asked again by itself. */
  | "unreachable"
  /** This browser cannot decode it; tried again by itself. */
  | "broken"
  | "playing"
  | "paused"
  /** It would play, but nothing comes. */
  | "stalled"
  /** Over: played to its end, or already over when the page was opened. */
  | "finished";

/** One is live within this distance of where the source says live is: seconds. */
const LIVE_TOLERANCE_S = 3;
/** Who watches live and has fallen behind so far by stalling is taken back to the live edge: seconds. */
const LEAP_BEHIND_S = 6;
const PULSE_MS = 500;
/** A pause in the media that is shorter is not worth a word. */
const STALL_PULSES = 2;
/** A finished stream whose tracks are not of one length never plays its last moment, and stands still so long before it: that is its end. */
const LAST_MOMENT_S = 1;
const END_PULSES = 4;
const FINISHED_LOOK_MS = 15_000;

export class Playback implements ReactiveController {
  state: PlaybackState = "connecting";
  /** The browser plays without sound until somebody taps. */
  needsTap = false;
  quality: Quality = { width: 0, height: 0, framesPerSecond: 0, bitrateBps: 0 };
  readonly #host: ReactiveControllerHost;
  readonly #expectLive: boolean;
  readonly #clock = new ClockOffset();
  readonly #latency = new ShownLatency();
  #video: HTMLVideoElement | undefined;
  #url = "";
  #source: StreamSource | undefined;
  #run = new AbortController();
  #timer: number | undefined;
  #pulse: number | undefined;
  #tries = 0;
  #silentPulses = 0;
  #frames = { count: 0, atMs: 0 };
  /** Whoever has neither paused nor sought back is kept at the live edge. */
  #following = true;

  /** `expectLive`: a missing stream may come yet and a finished one is not begun by itself. */
  constructor(host: ReactiveControllerHost, expectLive: boolean) {
    this.#host = host;
    this.#expectLive = expectLive;
    host.addController(this);
  }

  hostDisconnected(): void {
    this.stop();
  }

  /** Plays `url` in `video` from now on. */
  start(video: HTMLVideoElement, url: string): void {
    this.stop();
    this.#video = video;
    this.#url = url;
    const { signal } = this.#run;
    for (const name of ["playing", "pause", "seeked", "volumechange", "resize", "loadeddata"] as const) {
      video.addEventListener(name, this.#onVideo, { signal });
    }
    video.addEventListener("ended", () => this.#finish(), { signal });
    this.#pulse = window.setInterval(this.#onPulse, PULSE_MS);
    void this.#look();
  }

  stop(): void {
    this.#run.abort();
    this.#run = new AbortController();
    window.clearTimeout(this.#timer);
    window.clearInterval(this.#pulse);
    this.#close();
    this.#set("connecting");
  }

  get video(): HTMLVideoElement | undefined {
    return this.#video;
  }

  /** A source is open: there is something to control. */
  get open(): boolean {
    return this.#source !== undefined;
  }

  get isLive(): boolean {
    return this.#livePositionS !== null;
  }

  get atLive(): boolean {
    const live = this.#livePositionS;
    return live !== null && this.#following && live - this.positionS < LIVE_TOLERANCE_S;
  }

  /** Milliseconds from the camera to this screen; null where it is not known or means nothing. */
  get latencyMs(): number | null {
    return this.isLive ? this.#latency.latencyMs : null;
  }

  get positionS(): number {
    return this.#video?.currentTime ?? 0;
  }

  get window(): TimeWindow {
    return this.#source?.window() ?? { startS: 0, endS: 0 };
  }

  /** There is sound and no picture; false while that is not known yet. */
  get soundOnly(): boolean {
    const video = this.#video;
    const loaded = video !== undefined && video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA;
    return this.open && loaded && video.videoWidth === 0;
  }

  toggle(): void {
    const video = this.#video;
    if (this.state === "finished") return this.replay();
    if (video === undefined || !this.open) return;
    if (!video.paused) {
      this.#follow(false);
      video.pause();
    } else void this.#play();
  }

  seekTo(positionS: number): void {
    if (this.#video === undefined || !this.open) return;
    const { startS, endS } = this.window;
    const live = this.#livePositionS;
    const isBack = positionS < this.positionS;
    this.#video.currentTime = Math.min(Math.max(positionS, startS), live ?? endS);
    this.#follow(live !== null && !isBack && live - this.positionS < LIVE_TOLERANCE_S);
    this.#latency.clear();
    if (this.state === "finished") void this.#play();
  }

  goLive(): void {
    const live = this.#livePositionS;
    if (live === null || this.#video === undefined) return;
    this.#video.currentTime = live;
    this.#follow(true);
    this.#latency.clear();
    void this.#play();
  }

  /** From the beginning, after the end. */
  replay(): void {
    if (this.#source === undefined) return void this.#open(true);
    if (this.#video) this.#video.currentTime = this.window.startS;
    void this.#play();
  }

  /** Sound on, from a tap or key. */
  unmute(): void {
    if (this.#video) this.#video.muted = false;
    this.needsTap = false;
    void this.#play();
  }

  toggleMuted(): void {
    if (this.#video === undefined) return;
    if (this.#video.muted) return this.unmute();
    this.#video.muted = true;
    this.#host.requestUpdate();
  }

  setVolume(volume: number): void {
    if (this.#video === undefined) return;
    this.#video.volume = volume;
    this.#video.muted = volume === 0;
    if (volume > 0) this.needsTap = false;
  }

  #follow(live: boolean): void {
    this.#following = live;
    this.#source?.follow(live);
  }

  get #livePositionS(): number | null {
    return this.#source?.livePositionS() ?? null;
  }

  async #look(): Promise<void> {
    const { signal } = this.#run;
    let look: StreamLook;
    try {
      look = await lookAtStream(this.#url, signal);
    } catch {
      return; // Stopped meanwhile.
    }
    if (this.#source !== undefined) return;
    const over = this.state === "finished";
    if (look === "live" || (look === "finished" && !this.#expectLive)) return this.#open(look === "finished");
    if (look === "finished" || over) {
      this.#set("finished");
      this.#again(FINISHED_LOOK_MS);
      return;
    }
    if (look === "missing" && !this.#expectLive) return this.#set("missing");
    const expected = this.#expectLive && (look === "missing" || look === "not-yet");
    this.#set(expected ? "waiting" : "unreachable");
    this.#again();
  }

  #again(delayMs = retryDelayMs(++this.#tries, Math.random())): void {
    window.clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => void this.#look(), delayMs);
  }

  async #open(fromStart: boolean): Promise<void> {
    const video = this.#video;
    const { signal } = this.#run;
    if (video === undefined) return;
    window.clearTimeout(this.#timer);
    this.#set("connecting");
    try {
      const open = await chooseSource(video);
      if (signal.aborted) return;
      this.#close();
      this.#following = true;
      this.#source = open(video, this.#url, fromStart, {
        onAnswer: (date, age) => this.#clock.look(date, age, Date.now()),
        onLost: (loss) => this.#lost(loss),
      });
      await this.#play();
    } catch (error) {
      if (signal.aborted) return;
      console.warn("player:", sentenceOf(error));
      this.#lost("unreachable");
    }
  }

  #lost(loss: SourceLoss): void {
    // hls.js goes on with what it does when it says so: it is taken apart after that.
    queueMicrotask(() => this.#close());
    this.#set(loss === "missing" ? "waiting" : loss);
    this.#again();
  }

  #finish(): void {
    if (this.isLive) return;
    this.#set("finished");
    this.#video?.pause();
    if (!this.#expectLive) return;
    this.#close();
    this.#again(FINISHED_LOOK_MS);
  }

  async #play(): Promise<void> {
    const video = this.#video;
    if (video === undefined) return;
    try {
      await video.play();
    } catch (error) {
      const refused = error instanceof DOMException && error.name === "NotAllowedError";
      // A stream goes on without us, and is better seen than not; a recording waits for whoever presses play.
      if (refused && !video.muted && this.#expectLive) {
        video.muted = true;
        this.needsTap = true;
        return this.#play();
      }
      if (refused) this.#set("paused");
      // Anything else is an attempt that the next one, or the source's own error, has overtaken.
    }
  }

  #close(): void {
    this.#source?.close();
    this.#source = undefined;
    this.#silentPulses = 0;
    this.#latency.clear();
    this.quality = { width: 0, height: 0, framesPerSecond: 0, bitrateBps: 0 };
  }

  #onVideo = (): void => {
    const video = this.#video;
    if (video === undefined || !this.open) return;
    if (!video.paused && video.readyState > HTMLMediaElement.HAVE_CURRENT_DATA) {
      this.#tries = 0;
      this.#silentPulses = 0;
      this.#set("playing");
    } else if (video.paused && !video.ended && this.state !== "connecting" && this.state !== "finished") {
      this.#set("paused");
    }
    if (!video.muted) this.needsTap = false;
    this.#host.requestUpdate();
  };

  #onPulse = (): void => {
    const video = this.#video;
    if (video === undefined || this.#source === undefined) return;
    const nowMs = Date.now();
    const takenAtMs = this.#source.takenAtMs();
    const moving = !video.paused && video.readyState > HTMLMediaElement.HAVE_CURRENT_DATA;
    if (moving && takenAtMs !== null) this.#latency.look(takenAtMs, nowMs, this.#clock);
    this.#silentPulses = video.paused || moving ? 0 : this.#silentPulses + 1;
    if (this.#silentPulses >= STALL_PULSES && this.state === "playing") this.#set("stalled");
    const live = this.#livePositionS;
    const isLastMoment = live === null && this.window.endS - video.currentTime < LAST_MOMENT_S;
    if (this.state === "stalled" && this.#silentPulses >= END_PULSES && isLastMoment) return this.#finish();
    if (this.#following && moving && live !== null && live - video.currentTime > LEAP_BEHIND_S) this.goLive();
    this.#measure(video);
    this.#host.requestUpdate();
  };

  #measure(video: HTMLVideoElement): void {
    const count = video.getVideoPlaybackQuality().totalVideoFrames;
    const atMs = performance.now();
    const last = this.#frames;
    this.#frames = { count, atMs };
    const rate = count >= last.count ? ((count - last.count) * 1000) / (atMs - last.atMs) : 0;
    const before = this.quality.framesPerSecond;
    this.quality = {
      width: video.videoWidth,
      height: video.videoHeight,
      framesPerSecond: before > 0 ? before + (rate - before) / 4 : rate,
      bitrateBps: this.#source?.bitrateBps() ?? 0,
    };
  }

  #set(state: PlaybackState): void {
    if (state === this.state) return;
    this.state = state;
    this.#host.requestUpdate();
  }
}
