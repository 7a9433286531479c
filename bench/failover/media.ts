/** Who speaks and is seen, 50 units of sound and 30 pictures a second; and who listens and measures what is missing of them. */
import { every, type Timer } from "../../core/clock.ts";
import type { AccessUnit } from "../../core/delivery/access-unit.ts";
import type { PublishedTrack } from "../../core/participant/participant-api.ts";
import type { TrackOffer } from "../../core/wire/room-model.ts";
import { systemClock } from "../../relay/serving/clock.ts";
import { GapMeter } from "./gap-meter.ts";
import { Person, type PersonOptions } from "./person.ts";

const SOUND_SPACING_US = 20_000;
const PICTURE_SPACING_US = 1_000_000 / 30;
const SOUND_BYTES = 80;
const PICTURE_BYTES = 3_000;
const KEYFRAME_BYTES = 12_000;
const KEYFRAME_EVERY = 120;
const TICK_MS = 4;
/** As a browser does where pictures are missing. */
const ASK_AGAIN_US = 250_000;

const SOUND: TrackOffer = {
  kind: "audio",
  source: "microphone",
  codec: "opus",
  sampleRateHz: 48_000,
  channels: 1,
  frameDurationUs: SOUND_SPACING_US,
  muted: false,
  encrypted: false,
};
const PICTURES: TrackOffer = {
  kind: "video",
  source: "camera",
  codec: "avc1.42E01F",
  frameRate: 30,
  renditions: [{ width: 640, height: 360, maxBitrateBps: 1_000_000, temporalLayers: 1 }],
  muted: false,
  encrypted: false,
};

/** One track that units are made for as time passes. */
class Source {
  readonly #track: PublishedTrack;
  readonly #spacingUs: number;
  readonly #startUs = systemClock.nowUs();
  #frameId = 0;
  isKeyframeDue = true;

  constructor(track: PublishedTrack, spacingUs: number) {
    this.#track = track;
    this.#spacingUs = spacingUs;
  }

  send(): void {
    const isPicture = this.#track.offer.kind === "video";
    while (systemClock.nowUs() >= this.#startUs + this.#frameId * this.#spacingUs) {
      const keyframe = !isPicture || this.isKeyframeDue || this.#frameId % KEYFRAME_EVERY === 0;
      this.isKeyframeDue = false;
      const bytes = isPicture ? (keyframe ? KEYFRAME_BYTES : PICTURE_BYTES) : SOUND_BYTES;
      const isWhole = this.#track.send(unitOf(this.#frameId++, keyframe, isPicture, bytes));
      if (isPicture && !isWhole) this.isKeyframeDue = true;
    }
  }
}

function unitOf(frameId: number, keyframe: boolean, isPicture: boolean, bytes: number): AccessUnit {
  return {
    frameId,
    captureTimeUs: Math.round(systemClock.nowUs()),
    keyframe,
    discardable: false,
    temporalLayer: 0,
    reference: keyframe ? 0 : 1,
    rendition: 0,
    audioLevel: isPicture ? 127 : 20,
    voice: !isPicture,
    encrypted: false,
    bytes: new Uint8Array(bytes),
  };
}

export class Publisher {
  readonly person: Person;
  readonly #timer: Timer;

  private constructor(person: Person, timer: Timer) {
    this.person = person;
    this.#timer = timer;
  }

  static async join(options: PersonOptions): Promise<Publisher> {
    let pictures: Source | undefined;
    const person = await Person.join({
      ...options,
      onEvent: (event) => {
        if (event.type === "keyframe-requested" && pictures !== undefined) pictures.isKeyframeDue = true;
      },
    });
    const sound = new Source(await person.participant.publish(SOUND), SOUND_SPACING_US);
    const shown = new Source(await person.participant.publish(PICTURES), PICTURE_SPACING_US);
    pictures = shown;
    const timer = every(systemClock, TICK_MS, () => {
      sound.send();
      shown.send();
    });
    return new Publisher(person, timer);
  }

  async leave(): Promise<void> {
    this.#timer.cancel();
    await this.person.leave();
  }
}

export class Listener {
  readonly sound = new GapMeter(false);
  readonly pictures = new GapMeter(true);
  person!: Person;
  readonly #meters = new Map<number, GapMeter>();
  #askedUs = 0;

  /** Joins and subscribes to everything there is. */
  static async join(options: PersonOptions): Promise<Listener> {
    const listener = new Listener();
    listener.person = await Person.join({
      ...options,
      onUnit: (trackId, unit, arrivedUs) => listener.#take(trackId, unit, arrivedUs),
    });
    return listener;
  }

  async subscribe(): Promise<void> {
    const { participant } = this.person;
    for (const { tracks } of participant.participants.values()) {
      for (const { trackId, offer } of tracks) {
        this.#meters.set(trackId, offer.kind === "audio" ? this.sound : this.pictures);
        await participant.subscribe(trackId);
      }
    }
  }

  #take(trackId: number, unit: AccessUnit, arrivedUs: number): void {
    const isUsable = this.#meters.get(trackId)?.push(unit, arrivedUs) ?? true;
    if (isUsable || arrivedUs - this.#askedUs < ASK_AGAIN_US) return;
    this.#askedUs = arrivedUs;
    this.person.participant.requestKeyframe(trackId, 0);
  }

  reset(): void {
    this.sound.reset();
    this.pictures.reset();
  }
}
