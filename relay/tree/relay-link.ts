/**
 * One end of a link between two relays of a room's tree. Media goes over it as to and from a participant; what the far side
 * says of its participants is kept as offers, of which relay/tree/remote-participants.ts makes the room. docs/wire.md, "Tree of relays".
 */
import type { Clock } from "../../core/clock.ts";
import type { ControlChannel } from "../../core/session/control-channel.ts";
import { CLOSE_CODES, type CloseReason } from "../../core/wire/close-codes.ts";
import { MAX_LINK_INGRESS_DATAGRAMS_PER_SECOND } from "../../core/wire/limits.ts";
import type {
  ParticipantRecord,
  RelayAddress,
  TreeMessageInput,
  treeMessageSchema,
} from "../../core/wire/tree-messages.ts";
import { MediaPort, type MediaPortOptions } from "../media-port.ts";
import type { Audience, Track } from "../track.ts";

export type TreeChannel = ControlChannel<TreeMessageInput, typeof treeMessageSchema>;

/** What the far side says of a participant on its side. */
export interface Offer {
  record: ParticipantRecord;
  fading: boolean;
}

export interface RelayLinkOptions extends Omit<MediaPortOptions, "identity" | "ingress" | "probeAfterUs"> {
  channel: TreeChannel;
  /** The relay on the far side. */
  relay: RelayAddress;
  /** The far side is our parent. */
  isUp: boolean;
}

const INGRESS = {
  perSecond: MAX_LINK_INGRESS_DATAGRAMS_PER_SECOND,
  burst: MAX_LINK_INGRESS_DATAGRAMS_PER_SECOND / 4,
};
/** Silence is to be told from loss within half a second. */
const PROBE_AFTER_US = 100_000;
/** The far side has so long to hear what was said last. */
const GOODBYE_MS = 2_000;

export class RelayLink extends MediaPort {
  readonly isSession = false;
  readonly relay: RelayAddress;
  readonly isUp: boolean;
  readonly channel: TreeChannel;
  /** What the far side has said of participants there. */
  readonly offers = new Map<string, Offer>();
  /** How loud those on the far side are. */
  levels: ReadonlyMap<string, number> = new Map();
  /** What we said last of ours. */
  toldLevels = "";
  /** Relays below a child, and how many floors they are on. */
  below: readonly string[] = [];
  height = 0;
  /** The far side, or this one, is about to end the link. */
  isLeaving = false;
  /** Nothing has been heard for too long. */
  isSilent = false;
  isOpen = true;
  readonly #openedUs: number;
  #isFinishing = false;

  constructor(options: RelayLinkOptions) {
    super({ ...options, identity: options.relay.id, ingress: INGRESS, probeAfterUs: PROBE_AFTER_US });
    this.channel = options.channel;
    this.relay = options.relay;
    this.isUp = options.isUp;
    this.#openedUs = options.clock.nowUs();
    void options.session.closed.then(() => {
      this.isOpen = false;
    });
  }

  /** Last moment in which the far side was there. */
  get heardUs(): number {
    return Math.max(this.link.lastHeardUs, this.#openedUs);
  }

  /** Offers over it are only better than none. */
  get isFading(): boolean {
    return this.isLeaving || this.isSilent || !this.isOpen;
  }

  keyOf(trackId: number, rendition: number): number {
    return trackId * 4 + rendition;
  }

  send(message: TreeMessageInput): void {
    if (this.isOpen) this.channel.send(message);
  }

  keyframeRequested(trackId: number, rendition: number): void {
    this.send({ type: "request-keyframe", trackId, rendition });
  }

  trackWanted(): void {
    // Renditions are wanted one by one.
  }

  renditionWanted(track: Track, rendition: number, wanted: boolean): void {
    const { trackId } = track;
    if (wanted) this.#subscribe(track, rendition, track.audience);
    else this.send({ type: "unsubscribe", trackId, rendition });
  }

  trackBudget(trackId: number, audience: Audience): void {
    const track = this.roomTracks.get(trackId);
    for (const { index, subscriptions } of track?.renditions ?? [])
      if (subscriptions.length > 0) this.#subscribe(track!, index, audience);
  }

  #subscribe({ trackId }: Track, rendition: number, audience: Readonly<Audience>): void {
    const { repairWithinMs: playoutDelayMs, loss, burstMs } = audience;
    this.send({ type: "subscribe", trackId, rendition, playoutDelayMs, loss, burstMs });
  }

  renditionLimit(trackId: number, rendition: number, limitBps: number | undefined): void {
    this.send({ type: "rendition-limit", trackId, rendition, limitBps: limitBps ?? null });
  }

  override stopReceiving(track: Track): void {
    for (const { index: rendition } of track.renditions)
      this.send({ type: "unsubscribe", trackId: track.trackId, rendition });
    super.stopReceiving(track);
  }

  /** Lets through what was said, and ends our side; the far side closes the session then. */
  finish(clock: Clock): void {
    this.isOpen = false;
    this.#isFinishing = true;
    void this.channel.finish();
    clock.after(GOODBYE_MS, () => this.close("normal", "the room ended on this relay"));
  }

  override end(): void {
    this.isOpen = false;
    if (!this.#isFinishing) this.channel.stop();
    super.end();
  }

  close(reason: CloseReason, message: string): void {
    this.isOpen = false;
    this.channel.stop();
    this.session.close(CLOSE_CODES[reason], message);
  }
}
