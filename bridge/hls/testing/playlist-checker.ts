/**
 * A strict judge of a live media playlist over its life: each MUST of RFC 8216bis that applies to what one says, and to how it may change
 * from one reload to the next. Deltas are put together with what was there before, as a client does, and judged as a whole.
 */
import { type ReadPlaylist, type ReadSegment, readPlaylist } from "./playlist-reader.ts";

/** A segment as clients know it, by what must never change of it. */
interface Known {
  segment: ReadSegment;
  discontinuity: number;
}

/** Sums of decimals. */
const EPSILON = 1e-6;

export class PlaylistChecker {
  readonly broken: string[] = [];
  readonly #known = new Map<number, Known>();
  #before: ReadPlaylist | undefined;
  #newest = -1;
  /** Hints that came true, and that did not, which a server should avoid (4.4.5.3) and cannot where a segment ends unexpectedly. */
  hintsKept = 0;
  hintsBroken = 0;

  /** Judges what was loaded now. Returns it, a delta filled up to the whole playlist. */
  take(text: string): ReadPlaylist {
    const { playlist, broken } = readPlaylist(text);
    this.broken.push(...broken);
    this.#checkHeader(playlist);
    this.#fillDelta(playlist);
    this.#checkSegments(playlist);
    this.#checkEdge(playlist);
    this.#checkChange(playlist);
    this.#before = playlist;
    return playlist;
  }

  #must(holds: boolean, sentence: string): void {
    if (!holds) this.broken.push(sentence);
  }

  #checkHeader({
    version,
    target,
    partTarget,
    control,
    skipped,
    ended,
    segments,
    type,
    hint,
  }: ReadPlaylist): void {
    this.#must(
      segments.every(({ map }) => map === undefined) || version >= 6,
      "8: EXT-X-MAP needs version 6",
    );
    this.#must(skipped === 0 || version >= 9, "8: EXT-X-SKIP needs version 9");
    this.#must(type === undefined || type === "VOD" || type === "EVENT", `4.4.3.5: the type ${type}`);
    this.#must(type !== "VOD" || ended, "6.2.1: a VOD playlist does not grow");
    if (ended) {
      this.#must(hint === undefined, "4.4.5.3: a hint in a playlist that has ended");
      return;
    }
    const number = (name: string): number => Number(control.get(name) ?? Number.NaN);
    if (control.has("CAN-SKIP-UNTIL")) {
      this.#must(
        number("CAN-SKIP-UNTIL") >= 6 * target,
        "4.4.3.8: CAN-SKIP-UNTIL below six target durations",
      );
    }
    this.#must(skipped === 0 || control.has("CAN-SKIP-UNTIL"), "4.4.5.2: a delta that was not offered");
    if (control.has("HOLD-BACK")) {
      this.#must(number("HOLD-BACK") >= 3 * target, "4.4.3.8: HOLD-BACK below three target durations");
    }
    const block = control.get("CAN-BLOCK-RELOAD");
    this.#must(block === undefined || block === "YES", "4.4.3.8: CAN-BLOCK-RELOAD is YES or not there");
    if (partTarget === undefined) {
      this.#must(
        segments.every(({ parts }) => parts.length === 0),
        "4.4.3.7: parts without EXT-X-PART-INF",
      );
      return;
    }
    this.#must(partTarget > 0 && partTarget <= target, "4.4.3.7: the part target");
    this.#must(
      number("PART-HOLD-BACK") >= 3 * partTarget,
      "4.4.3.8: PART-HOLD-BACK is missing or below three parts",
    );
  }

  /** 4.4.5.2, 6.3.7: skipped segments are those that the client has. */
  #fillDelta(playlist: ReadPlaylist): void {
    if (playlist.skipped === 0) return;
    const had: ReadSegment[] = [];
    for (let i = 0; i < playlist.skipped; i++) {
      const known = this.#known.get(playlist.sequence + i);
      if (known === undefined)
        return this.#must(false, `4.4.5.2: segment ${playlist.sequence + i} was never shown`);
      had.push(known.segment);
    }
    const left = playlist.segments.reduce((sum, { duration }) => sum + duration, 0);
    const boundary = Number(playlist.control.get("CAN-SKIP-UNTIL"));
    this.#must(left + EPSILON >= boundary, "4.4.5.2: a delta skips segments within the skip boundary");
    let { map } = had.at(-1)!;
    for (const segment of playlist.segments) {
      map = segment.map ?? map;
      segment.map = map;
    }
    playlist.segments.unshift(...had);
    playlist.skipped = 0;
  }

  #checkSegments(playlist: ReadPlaylist): void {
    const { segments, target, partTarget } = playlist;
    const uris = new Set<string>();
    segments.forEach((segment, index) => {
      const name = `segment ${playlist.sequence + index}`;
      const before = segments[index - 1];
      this.#must(Math.round(segment.duration) <= target, `4.4.3.1: ${name} lasts ${segment.duration} s`);
      this.#must(segment.map !== undefined, `3.1.2: ${name} of fMP4 has no EXT-X-MAP`);
      this.#must(segment.uri !== undefined || index === segments.length - 1, `4: ${name} has no URI`);
      if (before !== undefined && before.map !== segment.map) {
        this.#must(segment.discontinuity, `4.4.4.3: ${name} has another init segment and no discontinuity`);
      }
      if (before?.dateMs !== undefined && segment.dateMs !== undefined && !segment.discontinuity) {
        const off = segment.dateMs - before.dateMs - before.duration * 1000;
        this.#must(Math.abs(off) <= 50, `4.4.4.6: ${name} is ${off} ms off the date that it should have`);
      }
      if (segment.uri !== undefined && segment.parts.length > 0) {
        const sum = segment.parts.reduce((total, { duration }) => total + duration, 0);
        this.#must(Math.abs(sum - segment.duration) < 0.001, `4.4.4.9: the parts of ${name} last ${sum} s`);
      }
      segment.parts.forEach((part, at) => {
        const isLast = segment.uri !== undefined && at === segment.parts.length - 1;
        this.#must(
          part.duration <= partTarget! + EPSILON,
          `4.4.4.9: a part of ${name} lasts ${part.duration} s`,
        );
        const longEnough = part.duration >= 0.85 * partTarget! - EPSILON;
        // The newest part may turn out to be the last.
        const mayBeLast = index === segments.length - 1 && at === segment.parts.length - 1;
        this.#must(
          longEnough || part.independent || isLast || mayBeLast,
          `4.4.4.9: a part of ${name} lasts only ${part.duration} s`,
        );
      });
      for (const uri of [segment.uri, ...segment.parts.map((part) => part.uri)]) {
        if (uri === undefined) continue;
        this.#must(!uris.has(uri), `4: ${uri} is there twice`);
        uris.add(uri);
      }
    });
  }

  #checkEdge({ hint, segments }: ReadPlaylist): void {
    const uris = segments.flatMap((segment) => segment.parts.map(({ uri }) => uri));
    this.#must(hint === undefined || !uris.includes(hint), "4.4.5.3: the hint is there already");
  }

  /** 6.2.1, 6.2.2 */
  #checkChange(playlist: ReadPlaylist): void {
    const before = this.#before;
    if (before !== undefined) {
      this.#must(before.target === playlist.target, "6.2.1: the target duration changed");
      this.#must(
        playlist.ended || before.partTarget === playlist.partTarget,
        "6.2.1: the part target changed",
      );
      this.#must(playlist.sequence >= before.sequence, "6.2.2: the media sequence number fell");
      this.#must(
        playlist.discontinuitySequence >= before.discontinuitySequence,
        "6.2.2: the discontinuity sequence fell",
      );
      this.#must(!before.ended || playlist.ended, "6.2.1: an ended playlist goes on");
      const newest = playlist.sequence + playlist.segments.length - 1;
      this.#must(newest >= this.#newest, "6.2.1: segments were taken from the end");
      if (playlist.sequence > before.sequence) {
        const length = playlist.segments.reduce((sum, { duration }) => sum + duration, 0);
        this.#must(
          length >= 3 * playlist.target,
          "6.2.2: segments were removed from a playlist that is too short",
        );
      }
      this.#checkHint(before, playlist);
    }
    let discontinuity = playlist.discontinuitySequence;
    playlist.segments.forEach((segment, index) => {
      if (segment.discontinuity) discontinuity += 1;
      const sequence = playlist.sequence + index;
      this.#checkSame(sequence, segment, discontinuity);
      this.#known.set(sequence, { segment, discontinuity });
      this.#newest = Math.max(this.#newest, sequence);
    });
  }

  #checkHint({ hint, ended }: ReadPlaylist, now: ReadPlaylist): void {
    if (hint === undefined || ended || now.ended || now.hint === hint) return;
    const came = now.segments.some(({ parts }) => parts.some(({ uri }) => uri === hint));
    if (came) this.hintsKept += 1;
    else this.hintsBroken += 1;
  }

  #checkSame(sequence: number, segment: ReadSegment, discontinuity: number): void {
    const known = this.#known.get(sequence);
    if (known === undefined) return;
    const had = known.segment;
    const name = `segment ${sequence}`;
    this.#must(known.discontinuity === discontinuity, `6.2.2: the discontinuity number of ${name} changed`);
    this.#must(had.dateMs === segment.dateMs, `6.2.1: the date of ${name} changed`);
    if (had.uri !== undefined) {
      this.#must(had.uri === segment.uri && had.duration === segment.duration, `6.2.1: ${name} changed`);
    }
    if (segment.parts.length > 0) {
      const same = had.parts.every((part, at) => JSON.stringify(part) === JSON.stringify(segment.parts[at]));
      this.#must(same, `6.2.1: the parts of ${name} changed`);
    }
  }
}
