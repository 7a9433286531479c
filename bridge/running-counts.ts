/** What a bridge counts over its whole life, of senders, outputs and programmes that run and of those that are over: for its metrics. */

/** By `what/label`, or `dropped/where/reason`. */
const COUNT_NAMES = [
  "bytes-in/rtmp",
  "bytes-in/icecast",
  "units-in/picture",
  "units-in/sound",
  /** RTMP targets. */
  "bytes-out/rtmp",
  "bytes-out/mp3",
  /** Answers of /hls and /recordings, as long as they say that they are. */
  "bytes-out/hls",
  "bytes-out/recordings",
  /** Written by recordings. */
  "recorded/bytes",
  /** Of RTMP senders (bridge/rtmp/ingest-sink.ts). */
  "dropped/sender/no-config",
  "dropped/sender/no-keyframe",
  "dropped/sender/other-track",
  "dropped/sender/malformed",
  "dropped/sender/too-large",
  "dropped/sender/not-media",
  /** Sound units that were not mixed (bridge/programme/sound-source.ts), and tracks of more than are mixed. */
  "dropped/programme/late",
  "dropped/programme/overflow",
  "dropped/programme/undecodable",
  "dropped/programme/too-many",
  /** Picture tracks in another codec than H.264, or encrypted (bridge/programme/left-pictures.ts). */
  "dropped/programme/codec",
  "dropped/programme/encrypted",
  /** Pictures that an RTMP target was too slow for. */
  "dropped/rtmp-target/slow",
  /** MP3 listeners who were too slow, or too many. */
  "dropped/mp3-listener/slow",
  "dropped/mp3-listener/too-many",
] as const;
export type CountName = (typeof COUNT_NAMES)[number];

type Counts = Readonly<Partial<Record<CountName, number>>>;

export class RunningCounts {
  readonly #over = new Map<CountName, number>();
  /** Of what runs. */
  readonly #reads = new Set<() => Counts>();

  /** `read` gives what one thing has counted since it began. What is returned is called at its end, and takes over its last counts. */
  add(read: () => Counts): () => void {
    this.#reads.add(read);
    return () => {
      if (this.#reads.delete(read)) this.#take(this.#over, read());
    };
  }

  count(name: CountName, by: number): void {
    this.#take(this.#over, { [name]: by });
  }

  /** Every name, 0 where nothing was counted. */
  now(): Map<CountName, number> {
    const sums = new Map(COUNT_NAMES.map((name) => [name, this.#over.get(name) ?? 0]));
    for (const read of this.#reads) this.#take(sums, read());
    return sums;
  }

  #take(sums: Map<CountName, number>, counts: Counts): void {
    for (const [name, value] of Object.entries(counts) as [CountName, number][])
      sums.set(name, (sums.get(name) ?? 0) + value);
  }
}
