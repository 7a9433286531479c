/**
 * Everybody who listens to one MP3 output. Listeners are in CHUNK_FRAMES groups, and with each frame one group is sent what has come since its
 * last turn, as one chunk that all of it share: so writes are few, none is copied, and they spread evenly over time.
 */
import type { SoundFrame } from "../sound/sound-encoder.ts";
import { type IcyTitle, icyTitle } from "./icy-metadata.ts";
import { leadIn } from "./lead-in.ts";
import { BURST_FRAMES, CHUNK_FRAMES, MAX_MP3_LISTENERS } from "./limits.ts";
import { Listener } from "./listener.ts";

/** Frames in front of a burst's first that its reservoir may lie in: 511 bytes, at 156 a frame of 64 kbit/s. */
const LEAD_IN_FRAMES = 4;
const KEPT_FRAMES = LEAD_IN_FRAMES + BURST_FRAMES + CHUNK_FRAMES;

interface Group {
  readonly listeners: Set<Listener>;
  /** Number of the frame that its next chunk begins with. */
  next: number;
  /** What somebody who joins it now is given of the past; made when somebody does. */
  burst: Uint8Array | undefined;
}

export interface AudienceOptions {
  /** A chunk that begins with sound of this time has been handed to a group. */
  onSent(oldestUs: number): void;
}

export class Audience {
  readonly #options: AudienceOptions;
  readonly #groups: Group[] = Array.from({ length: CHUNK_FRAMES }, () => ({
    listeners: new Set(),
    next: 0,
    burst: undefined,
  }));
  /** The last KEPT_FRAMES, oldest first. */
  readonly #frames: SoundFrame[] = [];
  /** Number of the first of them. */
  #first = 0;
  #title: IcyTitle = icyTitle("");
  #size = 0;
  #ended = false;
  /** Listeners since the beginning. */
  joined = 0;
  /** Listeners that were cut off because they took the sound too slowly. */
  droppedSlow = 0;
  /** Listeners that were refused because there were MAX_MP3_LISTENERS. */
  refused = 0;
  /** Bytes of sound that were handed to listeners. */
  sentBytes = 0;

  constructor(options: AudienceOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#size;
  }

  setTitle(title: string): void {
    this.#title = icyTitle(title);
  }

  push(frame: SoundFrame): void {
    if (this.#ended) return;
    this.#frames.push(frame);
    if (this.#frames.length > KEPT_FRAMES) {
      this.#frames.shift();
      this.#first += 1;
    }
    const end = this.#first + this.#frames.length;
    this.#turn(this.#groups[end % CHUNK_FRAMES]!, end);
  }

  /** A listener whose body begins with the last 2 s, at a frame that can be decoded. Undefined: there are as many as may be. */
  join(icy: boolean): Listener | undefined {
    if (this.#size >= MAX_MP3_LISTENERS) {
      this.refused += 1;
      return undefined;
    }
    const group = this.#groups.reduce((a, b) => (b.listeners.size < a.listeners.size ? b : a));
    const listener: Listener = new Listener({ icy, left: () => this.#remove(group, listener) });
    this.joined += 1;
    this.#size += 1;
    group.listeners.add(listener);
    group.burst ??= this.#burst(group.next);
    if (group.burst.length > 0) this.#send(group, listener, group.burst);
    if (this.#ended) this.#close(group, listener);
    return listener;
  }

  /** Everybody gets what is left, and then the end. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const group of this.#groups) {
      this.#turn(group, this.#first + this.#frames.length);
      for (const listener of group.listeners) this.#close(group, listener);
    }
  }

  #turn(group: Group, end: number): void {
    const from = group.next;
    if (from === end) return;
    group.next = end;
    group.burst = undefined;
    if (group.listeners.size > 0) {
      const chunk = joinFrames(this.#between(from, end));
      for (const listener of group.listeners) this.#send(group, listener, chunk);
    }
    this.#options.onSent(this.#frames[from - this.#first]!.timeUs);
  }

  #send(group: Group, listener: Listener, chunk: Uint8Array): void {
    if (listener.send(chunk, this.#title)) {
      this.sentBytes += chunk.length;
      return;
    }
    this.droppedSlow += 1;
    this.#remove(group, listener);
  }

  #close(group: Group, listener: Listener): void {
    listener.end();
    this.#remove(group, listener);
  }

  #remove(group: Group, listener: Listener): void {
    if (group.listeners.delete(listener)) this.#size -= 1;
  }

  /** Up to where the group's next chunk begins. */
  #burst(end: number): Uint8Array {
    const from = Math.max(this.#first, end - BURST_FRAMES);
    // Frame 0 decodes by itself; one that has lost those before it does not.
    const before = this.#between(Math.max(this.#first, from - LEAD_IN_FRAMES), from);
    const frames = this.#between(from, end);
    if (frames.length === 0) return new Uint8Array(0);
    return joinFrames([leadIn(frames[0]!, before), ...frames]);
  }

  #between(from: number, to: number): Uint8Array[] {
    return this.#frames.slice(from - this.#first, to - this.#first).map(({ bytes }) => bytes);
  }
}

function joinFrames(frames: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(frames.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const frame of frames) {
    joined.set(frame, at);
    at += frame.length;
  }
  return joined;
}
