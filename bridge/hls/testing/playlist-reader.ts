/** Reads a media playlist as strictly as RFC 8216bis, section 4, allows to write one. What is wrong is said in sentences, with the section. */

export interface ReadPart {
  uri: string;
  duration: number;
  independent: boolean;
}

export interface ReadSegment {
  /** Undefined while it has only parts. */
  uri: string | undefined;
  duration: number;
  map: string | undefined;
  discontinuity: boolean;
  dateMs: number | undefined;
  parts: ReadPart[];
}

export interface ReadPlaylist {
  version: number;
  target: number;
  partTarget: number | undefined;
  control: ReadonlyMap<string, string>;
  sequence: number;
  discontinuitySequence: number;
  skipped: number;
  segments: ReadSegment[];
  hint: string | undefined;
  ended: boolean;
  type: string | undefined;
}

/** Tags that may come once, and whether they must come before the first segment. */
const ONCE: Record<string, boolean> = {
  "EXT-X-VERSION": true,
  "EXT-X-TARGETDURATION": true,
  "EXT-X-MEDIA-SEQUENCE": true,
  "EXT-X-DISCONTINUITY-SEQUENCE": true,
  "EXT-X-SERVER-CONTROL": true,
  "EXT-X-PART-INF": true,
  "EXT-X-PLAYLIST-TYPE": true,
  "EXT-X-INDEPENDENT-SEGMENTS": true,
  "EXT-X-SKIP": true,
  "EXT-X-ENDLIST": false,
};
const DECIMAL = /^\d+(\.\d+)?$/;

export function readPlaylist(text: string): { playlist: ReadPlaylist; broken: string[] } {
  const reader = new Reader();
  reader.readAll(text);
  return reader;
}

class Reader {
  readonly broken: string[] = [];
  readonly playlist: ReadPlaylist = {
    version: 1,
    target: Number.NaN,
    partTarget: undefined,
    control: new Map(),
    sequence: 0,
    discontinuitySequence: 0,
    skipped: 0,
    segments: [],
    hint: undefined,
    ended: false,
    type: undefined,
  };
  readonly #seen = new Set<string>();
  #open: ReadSegment | undefined;
  #extinf: number | undefined;
  #map: string | undefined;
  #startsSegment = false;

  readAll(text: string): void {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there.
    if (/[\u0000-\u0009\u000b\u000c\u000e-\u001f\u007f-\u009f\ufeff]/.test(text)) {
      this.#complain("4.1: a control character or byte order mark");
    }
    const lines = text.split("\n");
    if (lines.pop() !== "") this.#complain("4.1: the last line does not end");
    if (lines[0] !== "#EXTM3U") this.#complain("4.4.1.1: the first line is not #EXTM3U");
    for (const line of lines.slice(1)) {
      if (line.startsWith("#EXT")) this.#tag(line.slice(1));
      else if (line !== "" && !line.startsWith("#")) this.#uri(line);
    }
    if (this.#extinf !== undefined) this.#complain("4.4.4.1: EXTINF without a URI");
    if (this.#open !== undefined) this.#take(undefined, 0);
    if (Number.isNaN(this.playlist.target)) this.#complain("4.4.3.1: no EXT-X-TARGETDURATION");
  }

  #complain(sentence: string): void {
    this.broken.push(sentence);
  }

  #segment(): ReadSegment {
    this.#startsSegment = true;
    this.#open ??= {
      uri: undefined,
      duration: 0,
      map: this.#map,
      discontinuity: false,
      dateMs: undefined,
      parts: [],
    };
    return this.#open;
  }

  #uri(line: string): void {
    if (this.#extinf === undefined) return this.#complain(`4.4.4.1: ${line} has no EXTINF`);
    this.#segment();
    this.#take(line, this.#extinf);
    this.#extinf = undefined;
  }

  #take(uri: string | undefined, duration: number): void {
    const segment = this.#open!;
    segment.uri = uri;
    segment.map = this.#map;
    segment.duration =
      uri === undefined ? segment.parts.reduce((sum, part) => sum + part.duration, 0) : duration;
    this.playlist.segments.push(segment);
    this.#open = undefined;
  }

  #tag(line: string): void {
    const colon = line.indexOf(":");
    const name = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? "" : line.slice(colon + 1);
    if (name in ONCE) {
      if (this.#seen.has(name)) this.#complain(`4.4.3: ${name} comes twice`);
      if (ONCE[name] === true && this.#startsSegment) this.#complain(`4.4.3: ${name} behind a segment`);
      this.#seen.add(name);
    }
    if (this.#header(name, value) || this.#media(name, value)) return;
    this.#complain(`4: ${name} is not a tag of a media playlist`);
  }

  #header(name: string, value: string): boolean {
    const { playlist } = this;
    if (name === "EXT-X-VERSION") playlist.version = this.#whole(name, value);
    else if (name === "EXT-X-TARGETDURATION") playlist.target = this.#whole(name, value);
    else if (name === "EXT-X-MEDIA-SEQUENCE") playlist.sequence = this.#whole(name, value);
    else if (name === "EXT-X-DISCONTINUITY-SEQUENCE")
      playlist.discontinuitySequence = this.#whole(name, value);
    else if (name === "EXT-X-SERVER-CONTROL") playlist.control = this.#attributes(name, value);
    else if (name === "EXT-X-PART-INF")
      playlist.partTarget = this.#decimal(this.#attributes(name, value), "PART-TARGET");
    else if (name === "EXT-X-PLAYLIST-TYPE") playlist.type = value;
    else if (name === "EXT-X-SKIP")
      playlist.skipped = this.#whole(name, this.#need(this.#attributes(name, value), "SKIPPED-SEGMENTS"));
    else if (name === "EXT-X-ENDLIST") playlist.ended = true;
    else return name === "EXT-X-INDEPENDENT-SEGMENTS";
    return true;
  }

  #media(name: string, value: string): boolean {
    if (name === "EXTINF") {
      const [duration = ""] = value.split(",");
      if (!value.includes(",") || !DECIMAL.test(duration)) this.#complain(`4.4.4.1: EXTINF:${value}`);
      if (this.#extinf !== undefined) this.#complain("4.4.4.1: EXTINF twice for a segment");
      this.#segment();
      this.#extinf = Number(duration);
    } else if (name === "EXT-X-MAP") {
      this.#map = `${this.#need(this.#attributes(name, value), "URI")}`;
      if (this.#open !== undefined && this.#open.parts.length > 0)
        this.#complain("4.4.4.5: EXT-X-MAP within a segment");
    } else if (name === "EXT-X-DISCONTINUITY") {
      if (this.#open?.discontinuity === true) this.#complain("4.4.4.3: two discontinuities before a segment");
      this.#segment().discontinuity = true;
    } else if (name === "EXT-X-PROGRAM-DATE-TIME") {
      const isDate = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(value);
      if (!isDate) this.#complain(`4.4.4.6: the date ${value}`);
      this.#segment().dateMs = Date.parse(value);
    } else if (name === "EXT-X-BYTERANGE") {
      if (!/^\d+(@\d+)?$/.test(value)) this.#complain(`4.4.4.2: the range ${value}`);
    } else if (name === "EXT-X-PART") this.#part(name, value);
    else if (name === "EXT-X-PRELOAD-HINT") {
      const hint = this.#attributes(name, value);
      if (this.playlist.hint !== undefined) this.#complain("4.4.5.3: two hints");
      if (this.#need(hint, "TYPE") !== "PART") this.#complain("4.4.5.3: a hint of another type");
      this.playlist.hint = this.#need(hint, "URI");
    } else if (name === "EXT-X-RENDITION-REPORT") {
      const report = this.#attributes(name, value);
      for (const attribute of ["URI", "LAST-MSN", "LAST-PART"]) this.#need(report, attribute);
      if (/^[a-z]+:/i.test(report.get("URI") ?? ""))
        this.#complain("4.4.5.4: the URI of a report is not relative");
    } else return false;
    return true;
  }

  #part(name: string, value: string): void {
    const part = this.#attributes(name, value);
    const independent = part.get("INDEPENDENT");
    if (independent !== undefined && independent !== "YES")
      this.#complain("4.4.4.9: INDEPENDENT is YES or not there");
    this.#segment().parts.push({
      uri: this.#need(part, "URI"),
      duration: this.#decimal(part, "DURATION"),
      independent: independent === "YES",
    });
  }

  /** 4.2 */
  #attributes(name: string, list: string): Map<string, string> {
    const found = new Map<string, string>();
    const pattern = /([A-Z0-9-]+)=("[^"\r\n]*"|[^",\s]+)(?:,(?=.)|$)/y;
    while (pattern.lastIndex < list.length) {
      const match = pattern.exec(list);
      if (match === null) {
        this.#complain(`4.2: the attributes ${name}:${list}`);
        break;
      }
      if (found.has(match[1]!)) this.#complain(`4.2: ${name} has ${match[1]} twice`);
      const quoted = match[2]!.startsWith('"');
      if (quoted !== (match[1] === "URI"))
        this.#complain(`4.2: ${match[1]} of ${name} ${quoted ? "is" : "is not"} quoted`);
      found.set(match[1]!, quoted ? match[2]!.slice(1, -1) : match[2]!);
    }
    return found;
  }

  #need(attributes: ReadonlyMap<string, string>, name: string): string {
    const value = attributes.get(name);
    if (value === undefined || value === "") this.#complain(`4: the attribute ${name} is missing`);
    return value ?? "";
  }

  #decimal(attributes: ReadonlyMap<string, string>, name: string): number {
    const value = this.#need(attributes, name);
    if (!DECIMAL.test(value)) this.#complain(`4.2: ${name}=${value} is no decimal number`);
    return Number(value);
  }

  #whole(name: string, value: string): number {
    if (!/^\d{1,20}$/.test(value)) this.#complain(`4.2: ${name} ${value} is no whole number`);
    return Number(value);
  }
}
