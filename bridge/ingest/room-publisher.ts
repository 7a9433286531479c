/**
 * A program outside of the room as one of its participants: pictures pass through as they are, sound comes as samples (which are encoded
 * to Opus) or as Opus. Stays in the room over relays' ends, and publishes anew where it must.
 */

import type { AccessUnit } from "../../core/delivery/access-unit.ts";
import { contentOf } from "../../core/media/annex-b.ts";
import { audioLevelOf, VoiceDetector } from "../../core/media/audio-level.ts";
import type { ParticipantEvent } from "../../core/participant/events.ts";
import type { Participant, PublishedTrack } from "../../core/participant/participant-api.ts";
import type { Source, TrackOffer } from "../../core/wire/room-model.ts";
import type { MemberIdentity } from "../room/gateway-access.ts";
import { type RoomAccess, RoomMember } from "../room/room-member.ts";
import { PictureReferences } from "./picture-references.ts";

const SOUND_OFFER: TrackOffer = {
  kind: "audio",
  source: "microphone",
  codec: "opus",
  sampleRateHz: 48_000,
  channels: 2,
  frameDurationUs: 20_000,
  muted: false,
  encrypted: false,
};

export interface PictureFormat {
  /** WebCodecs codec string. */
  codec: string;
  width: number;
  height: number;
  frameRate: number;
  maxBitrateBps: number;
}

type Medium = "microphone" | "camera";

interface OwnTrack {
  offer: TrackOffer;
  published: PublishedTrack | undefined;
  nextFrameId: number;
}

export interface PublisherEvents {
  /** A subscriber waits for a keyframe. */
  onKeyframeWanted(): void;
  /** Out of the room for good. */
  onEnd(reason: string): void;
  log(line: string): void;
}

export class RoomPublisher {
  /** Units that came while no track was open for them. */
  unpublished = 0;
  readonly #member: RoomMember;
  readonly #events: PublisherEvents;
  readonly #tracks = new Map<Medium, OwnTrack>();
  readonly #references = new PictureReferences();
  readonly #voice = new VoiceDetector();

  constructor(room: string, { identity, name }: MemberIdentity, access: RoomAccess, events: PublisherEvents) {
    this.#events = events;
    const publish: Source[] = ["microphone", "camera"];
    this.#member = new RoomMember(room, { identity, name, publish }, access, {
      onJoined: (participant) => this.#onJoined(participant),
      onReconnecting: (reason) => events.log(`${identity} lost its relay in ${room}: ${reason}`),
      onBack: () => events.log(`${identity} is back in ${room}`),
      onClosed: (_code, reason) => events.onEnd(reason),
      onEvent: (event) => this.#onEvent(event),
      onAccessUnit: () => undefined,
    });
  }

  /** Rejects with GatewayError when there is no way in. */
  enter(): Promise<void> {
    return this.#member.enter();
  }

  leave(): Promise<void> {
    return this.#member.leave();
  }

  get roomNowUs(): number {
    return this.#member.roomNowUs;
  }

  openSound(): Promise<void> {
    return this.#open("microphone", SOUND_OFFER);
  }

  /** The picture begins, or goes on in another format: then it is another track. */
  async openPicture({ codec, width, height, frameRate, maxBitrateBps }: PictureFormat): Promise<void> {
    const renditions = [{ width, height, maxBitrateBps, temporalLayers: 1 }];
    const offer: TrackOffer = {
      kind: "video",
      source: "camera",
      codec,
      frameRate,
      renditions,
      muted: false,
      encrypted: false,
    };
    await this.#tracks.get("camera")?.published?.unpublish();
    await this.#open("camera", offer);
  }

  async #open(medium: Medium, offer: TrackOffer): Promise<void> {
    const track: OwnTrack = { offer, published: undefined, nextFrameId: 0 };
    this.#tracks.set(medium, track);
    const { participant } = this.#member;
    if (participant !== undefined) await this.#publish(track, participant);
  }

  async #publish(track: OwnTrack, participant: Participant): Promise<void> {
    const published = await participant.publish(track.offer);
    if ([...this.#tracks.values()].includes(track)) track.published = published;
    else await published.unpublish();
  }

  async #onJoined(participant: Participant): Promise<void> {
    for (const track of this.#tracks.values()) {
      track.published = undefined;
      await this.#publish(track, participant);
    }
    this.#events.onKeyframeWanted();
  }

  #onEvent(event: ParticipantEvent): void {
    if (event.type === "keyframe-requested") this.#events.onKeyframeWanted();
    if (event.type === "unpublished") this.#events.log(`a track was refused: ${event.message}`);
  }

  /** One Opus frame of 20 ms, captured at `captureUs` on the room clock. `samples`: what is in it, for its level; undefined = not known. */
  pushSound(captureUs: number, bytes: Uint8Array, samples: Float32Array | undefined): void {
    const level = samples === undefined ? UNKNOWN_LEVEL : audioLevelOf(samples);
    this.#send("microphone", {
      captureTimeUs: captureUs,
      keyframe: true,
      discardable: false,
      reference: 0,
      audioLevel: level,
      voice: samples === undefined || this.#voice.push(level),
      bytes,
    });
  }

  /** One picture in Annex B, SPS and PPS in front of each keyframe, shown at `captureUs` on the room clock; in decode order. */
  pushPicture(captureUs: number, bytes: Uint8Array): void {
    const { keyframe, discardable } = contentOf(bytes);
    const reference = this.#references.next(keyframe, discardable);
    this.#send("camera", {
      captureTimeUs: captureUs,
      keyframe,
      discardable: discardable && !keyframe,
      reference,
      audioLevel: 127,
      voice: false,
      bytes,
    });
  }

  #send(
    medium: Medium,
    unit: Omit<AccessUnit, "frameId" | "temporalLayer" | "rendition" | "encrypted">,
  ): void {
    const track = this.#tracks.get(medium);
    if (track?.published === undefined) {
      this.unpublished++;
      return;
    }
    const frameId = track.nextFrameId;
    track.nextFrameId = (frameId + 1) >>> 0;
    const isSent = track.published.send({
      ...unit,
      frameId,
      temporalLayer: 0,
      rendition: 0,
      encrypted: false,
    });
    if (!isSent && medium === "camera") this.#events.onKeyframeWanted();
  }
}

/** Speech of middling loudness: what is said of Opus that nobody here has decoded. */
const UNKNOWN_LEVEL = 30;
