/**
 * Recovery of losses on one link, both directions: what is received passes through a block receiver per track rendition, what is sent
 * is kept and repaired by a repair sender per track rendition. Owns the timer of both. docs/wire.md, "Recovery".
 */
import type { Clock, Timer } from "../clock.ts";
import type { BlockHistory } from "../delivery/recovery/block-history.ts";
import { BlockReceiver } from "../delivery/recovery/block-receiver.ts";
import type { HopConditions } from "../delivery/recovery/protection-policy.ts";
import { RepairBudget } from "../delivery/recovery/repair-budget.ts";
import { RepairSender } from "../delivery/recovery/repair-sender.ts";
import {
  DATAGRAM_FEEDBACK,
  DATAGRAM_MEDIA,
  HOP_HEADER_BYTES,
  hopSendTimeOf,
  hopSequenceOf,
  mediaRenditionOf,
  repairRenditionOf,
  trackIdOf,
} from "../wire/datagram.ts";
import { readNack, writeNack } from "../wire/nack.ts";
import type { ReceiverReport } from "../wire/receiver-report.ts";
import { HopArrivals } from "./hop-arrivals.ts";
import type { Link } from "./link.ts";
import { ReportLosses } from "./report-losses.ts";

/** Assumed before the first report. */
const FIRST_RTT_MS = 100;
/** A feedback datagram is sent when it is longer than this; the longest NACK is 23 bytes. */
const MAX_FEEDBACK_BODY_BYTES = 900;
/** NACKs are at most this share of what is received of tracks, and so many bytes more at once: the rest of 5 % is for reports. */
const NACK_SHARE = 0.03;
const NACK_BURST_BYTES = 1_000;
const NEVER = Number.POSITIVE_INFINITY;

/** What recovery did on a link, both directions, tracks that are gone included. */
export interface RecoveryTotals {
  repairsSent: number;
  repairBytes: number;
  recovered: number;
  nacksSent: number;
  givenUp: number;
}

function keyOf(trackId: number, rendition: number): number {
  return trackId * 4 + rendition;
}

export class HopRecovery {
  readonly budget = new RepairBudget();
  readonly #clock: Clock;
  readonly #link: Link;
  readonly #receivers = new Map<number, BlockReceiver>();
  readonly #senders = new Map<number, RepairSender>();
  readonly #outbound: HopConditions = { loss: 0, burstMs: 0, rttMs: FIRST_RTT_MS, reorderMs: 0 };
  readonly #inbound: { conditions: HopConditions; holesSeen: number; isReliable: boolean; isSpent: boolean };
  readonly #arrivals = new HopArrivals();
  readonly #losses = new ReportLosses();
  readonly #feedback = new Uint8Array(1_000);
  /** Bytes that NACKs may still take. */
  #nackAllowance = NACK_BURST_BYTES;
  #feedbackBytes = 0;
  /** Bytes of feedback datagrams with NACKs, hop headers included. */
  nackBytes = 0;
  readonly #past: RecoveryTotals = { repairsSent: 0, repairBytes: 0, recovered: 0, nacksSent: 0, givenUp: 0 };
  #timer: Timer | undefined;
  #timerUs = NEVER;
  #inboundRefreshUs = 0;
  #ended = false;

  constructor(link: Link, clock: Clock) {
    this.#link = link;
    this.#clock = clock;
    this.#inbound = {
      conditions: { loss: 0, burstMs: 0, rttMs: FIRST_RTT_MS, reorderMs: 0 },
      holesSeen: 0,
      isReliable: link.session.isReliable === true,
      isSpent: false,
    };
  }

  /** Datagrams travel in order over TCP: nothing is asked for, and no repair symbol is sent. */
  get isReliable(): boolean {
    return this.#inbound.isReliable;
  }

  /** What the other side loses of ours. */
  get outbound(): Readonly<HopConditions> {
    return this.#outbound;
  }

  /** What we lose of the other side's. */
  get inbound(): Readonly<HopConditions> {
    return this.#inbound.conditions;
  }

  /** Hop sequences that were skipped when a later one arrived, ever. */
  get holesSeen(): number {
    return this.#inbound.holesSeen;
  }

  /** Repairs what is sent of a track rendition from `history`. Tell the result of every datagram that the link has taken. */
  addSender(
    trackId: number,
    rendition: number,
    history: BlockHistory,
    playoutDelayMs: number,
    isPicture: boolean,
  ): RepairSender {
    const sender = new RepairSender(
      {
        trackId,
        rendition,
        history,
        hop: this.#outbound,
        budget: this.budget,
        send: (kind, body, spare) => this.#link.send(kind, body, 0, spare) === undefined,
        isPicture: isPicture && !this.isReliable,
      },
      playoutDelayMs,
    );
    this.#senders.set(keyOf(trackId, rendition), sender);
    return sender;
  }

  removeSender(trackId: number, rendition: number): void {
    const key = keyOf(trackId, rendition);
    addSender(this.#past, this.#senders.get(key));
    this.#senders.delete(key);
  }

  /** Sends a repair symbol of pictures that nobody has asked for, as a probe; returns its bytes, 0 when there is none. */
  probe(nowUs: number): number {
    for (const sender of this.#senders.values()) {
      const bytes = sender.isPicture ? sender.probe(nowUs) : 0;
      if (bytes > 0) return bytes;
    }
    return 0;
  }

  /** Restores what arrives of a track rendition; everything comes out of `emit`. */
  addReceiver(
    trackId: number,
    rendition: number,
    history: BlockHistory,
    playoutDelayMs: number,
    isPicture: boolean,
    emit: (datagram: Uint8Array, nowUs: number) => void,
  ): BlockReceiver {
    const receiver = new BlockReceiver(
      { trackId, rendition, history, hop: this.#inbound, isPicture, emit },
      playoutDelayMs,
    );
    this.#receivers.set(keyOf(trackId, rendition), receiver);
    return receiver;
  }

  receiver(trackId: number, rendition: number): BlockReceiver | undefined {
    return this.#receivers.get(keyOf(trackId, rendition));
  }

  removeReceiver(trackId: number, rendition: number): void {
    const key = keyOf(trackId, rendition);
    addReceiver(this.#past, this.#receivers.get(key));
    this.#receivers.delete(key);
  }

  totals(): RecoveryTotals {
    const totals = { ...this.#past };
    for (const sender of this.#senders.values()) addSender(totals, sender);
    for (const receiver of this.#receivers.values()) addReceiver(totals, receiver);
    return totals;
  }

  /** Takes every media and repair datagram of the link. Returns false for a track rendition without a receiver. */
  push(datagram: Uint8Array, kind: number, nowUs: number): boolean {
    this.#arrivals.push(hopSequenceOf(datagram), hopSendTimeOf(datagram), nowUs);
    this.#inbound.holesSeen = this.#arrivals.holesSeen;
    const isMedia = kind === DATAGRAM_MEDIA;
    const rendition = isMedia ? mediaRenditionOf(datagram) : repairRenditionOf(datagram);
    const receiver = this.#receivers.get(keyOf(trackIdOf(datagram), rendition));
    if (receiver === undefined) return false;
    this.#earn(datagram.length * NACK_SHARE);
    this.#refreshInbound(nowUs);
    if (isMedia) receiver.pushMedia(datagram, nowUs);
    else receiver.pushRepair(datagram, nowUs);
    this.#schedule(receiver.dueUs, nowUs);
    return true;
  }

  #earn(bytes: number): void {
    this.#nackAllowance = Math.min(NACK_BURST_BYTES, this.#nackAllowance + bytes);
    this.#inbound.isSpent = this.#nackAllowance <= 0;
  }

  /** To be called for other datagrams, so that gaps in the hop sequence are known. */
  noteArrival(datagram: Uint8Array, nowUs: number): void {
    this.#arrivals.push(hopSequenceOf(datagram), hopSendTimeOf(datagram), nowUs);
  }

  #refreshInbound(nowUs: number): void {
    if (nowUs < this.#inboundRefreshUs) return;
    this.#inboundRefreshUs = nowUs + 20_000;
    const { conditions } = this.#inbound;
    conditions.loss = this.#arrivals.estimator.upper;
    conditions.burstMs = this.#arrivals.estimator.burstMs;
    conditions.reorderMs = this.#arrivals.reorderMs;
    conditions.rttMs = this.#link.rttMs ?? FIRST_RTT_MS;
  }

  /** Content of a NACK section. Returns false when it is malformed; one for an unknown track is ignored. */
  onNack(bytes: Uint8Array, offset: number, length: number, nowUs: number): boolean {
    const nack = readNack(bytes, offset, length);
    if (nack === undefined) return false;
    const sender = this.#senders.get(keyOf(nack.trackId, nack.rendition));
    // Over TCP what is missing was left out by us; repair would only hold up what follows.
    if (sender === undefined || this.isReliable) return true;
    sender.onNack(nack, nowUs);
    this.#schedule(sender.dueUs, nowUs);
    return true;
  }

  onReport(report: ReceiverReport, nowUs: number): void {
    const losses = this.#losses;
    this.#outbound.rttMs = this.#link.rttMs ?? FIRST_RTT_MS;
    if (!this.isReliable) {
      losses.push(report, this.#link.sentAtUs, nowUs);
      this.#outbound.loss = losses.estimator.upper;
      this.#outbound.burstMs = losses.estimator.burstMs;
      this.#outbound.reorderMs = losses.reorderMs;
    }
    this.#outbound.queueMs = Math.max(0, this.#link.bandwidth.newestQueueMs);
    // Loss without a queue is what repair is for, even while a lower rate is on trial.
    this.budget.congested = this.#link.bandwidth.hasQueue;
  }

  #schedule(dueUs: number, nowUs: number): void {
    if (dueUs >= this.#timerUs || this.#ended) return;
    this.#timer?.cancel();
    this.#timerUs = dueUs;
    // Rounded up: a timer that fires early would find nothing due, again and again.
    this.#timer = this.#clock.after(Math.max(1, Math.ceil(dueUs - nowUs)) / 1000, this.#onTimer);
  }

  readonly #onTimer = (): void => {
    this.#timer = undefined;
    this.#timerUs = NEVER;
    const nowUs = this.#clock.nowUs();
    this.#refreshInbound(nowUs);
    let dueUs = NEVER;
    for (const receiver of this.#receivers.values()) {
      receiver.poll(nowUs, (nack) => {
        this.#feedbackBytes = writeNack(this.#feedback, this.#feedbackBytes, nack);
        if (this.#feedbackBytes > MAX_FEEDBACK_BODY_BYTES) this.#flush();
      });
      dueUs = Math.min(dueUs, receiver.dueUs);
    }
    this.#flush();
    for (const sender of this.#senders.values()) {
      sender.poll(nowUs);
      dueUs = Math.min(dueUs, sender.dueUs);
    }
    if (dueUs < NEVER) this.#schedule(dueUs, nowUs);
  };

  #flush(): void {
    if (this.#feedbackBytes === 0) return;
    this.#link.send(DATAGRAM_FEEDBACK, this.#feedback.subarray(0, this.#feedbackBytes), 0, false);
    this.nackBytes += HOP_HEADER_BYTES + this.#feedbackBytes;
    this.#earn(-HOP_HEADER_BYTES - this.#feedbackBytes);
    this.#feedbackBytes = 0;
  }

  /** Stops the timer. Nothing is asked for or sent later after that. */
  end(): void {
    this.#ended = true;
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}

function addSender(totals: RecoveryTotals, sender: RepairSender | undefined): void {
  if (sender === undefined) return;
  totals.repairsSent += sender.counters.repairsSent + sender.counters.retransmitted;
  totals.repairBytes += sender.counters.bytes;
}

function addReceiver(totals: RecoveryTotals, receiver: BlockReceiver | undefined): void {
  if (receiver === undefined) return;
  const { recovered, nacks, givenUp } = receiver.counters;
  totals.recovered += recovered;
  totals.nacksSent += nacks;
  totals.givenUp += givenUp;
}
