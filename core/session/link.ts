/**
 * One hop: a session with hop headers, receiver reports and what they tell (RTT, loss, rate). The owner calls
 * `tick` every REPORT_INTERVAL_MS. docs/wire.md, "Hop header" and "Feedback".
 */
import type { Clock } from "../clock.ts";
import { BandwidthEstimator } from "../delivery/congestion/bandwidth-estimator.ts";
import {
  DATAGRAM_FEEDBACK,
  DATAGRAM_MEDIA,
  DATAGRAM_PROBE,
  DATAGRAM_REPAIR,
  datagramFault,
  HOP_HEADER_BYTES,
  hopSendTimeOf,
  hopSequenceOf,
  writeHopHeader,
} from "../wire/datagram.ts";
import {
  MAX_DATAGRAM_BYTES,
  MAX_LINK_OUTSTANDING_BYTES,
  MAX_RELIABLE_WAIT_MS,
  SEND_HISTORY_DATAGRAMS,
} from "../wire/limits.ts";
import {
  emptyReceiverReport,
  MAX_REPORT_DATAGRAM_BYTES,
  type ReceiverReport,
  readReceiverReport,
  SECTION_NACK,
  SECTION_RECEIVER_REPORT,
  walkSections,
  writeReceiverReport,
} from "../wire/receiver-report.ts";
import { ArrivalLog } from "./arrival-log.ts";
import { emptyLinkDrops, emptyReceiveDrops, type LinkDrop, type LinkStats } from "./link-stats.ts";
import { RoundTrip } from "./round-trip.ts";
import type { Session } from "./session.ts";

/** A link that has sent nothing for this long sends a probe, so that RTT and liveness stay known. */
const PROBE_AFTER_US = 200_000;
/** While nothing is missing and nothing is late, a report says no more than "go on" and is sent this seldom. */
const CALM_REPORT_INTERVAL_US = 200_000;
/** Where little is received a report waits for so much of it, or for so long: feedback is a small share of media (RFC 3550, section 6.2). */
const BYTES_PER_REPORT = 3_000;
const SCARCE_REPORT_INTERVAL_US = 100_000;
/**
 * Feedback is reported on too, at this pace: a side that sends nothing else would never learn what became of it, and
 * its outstanding bytes would only grow.
 */
const FEEDBACK_REPORT_INTERVAL_US = 1_000_000;
/** The same while some of it is lost: NACK rounds need the round trip. */
const LOSSY_FEEDBACK_REPORT_INTERVAL_US = 250_000;
/** Less than this may be feedback alone, which is seldom reported on. */
const LEAST_HELD_UP_BYTES = 4_000;
const HISTORY_MASK = SEND_HISTORY_DATAGRAMS - 1;
/** Weight of a new sample in smoothed loss. */
const SMOOTHING = 1 / 8;

export interface LinkHandlers {
  /** A media or repair datagram, hop header included; the bytes are valid until the call returns. */
  onMedia(datagram: Uint8Array, kind: number, nowUs: number): void;
  /** Content of a NACK section; the bytes are valid until the call returns. */
  onNack?(bytes: Uint8Array, offset: number, length: number, nowUs: number): void;
  /** Any datagram of the other side that is no media or repair, so that gaps in the hop sequence can be told. */
  onOther?(datagram: Uint8Array, nowUs: number): void;
  /** A receiver report of the other side; reused, valid until the call returns. */
  onReport?(report: ReceiverReport, nowUs: number): void;
}

export class Link {
  readonly session: Session;
  /** Of what we send. */
  readonly bandwidth = new BandwidthEstimator();
  readonly #clock: Clock;
  readonly #handlers: LinkHandlers;
  readonly #headroom: number;
  readonly #probeAfterUs: number;
  readonly #scratch: Uint8Array;
  #view: Uint8Array = new Uint8Array(0);
  readonly #arrivals = new ArrivalLog();
  readonly #report = emptyReceiverReport();
  readonly #readReport = emptyReceiverReport();
  readonly #sentBytesBefore = new Float64Array(SEND_HISTORY_DATAGRAMS);
  readonly #sentAtUs = new Float64Array(SEND_HISTORY_DATAGRAMS);
  readonly #dropped = emptyLinkDrops();
  readonly #receiveDropped = emptyReceiveDrops();
  #nextSequence: number;
  #sent = 0;
  #sentBytes = 0;
  #outstandingBytes = 0;
  #lastSentUs = 0;
  #reportDue = false;
  /** Received when the last report was sent. */
  #reportedBytes = 0;
  #feedbackHeard = false;
  #lastReportUs = 0;
  readonly #roundTrip = new RoundTrip();
  #sendLoss = 0;
  #lostOutbound = 0;
  #firstSequence: number;
  #reportedExtended: number;
  #reportedReceived = 0;
  #lastHeardUs = 0;

  /** `firstSequence` (u16) is random in production so that wraparound is met in practice. */
  constructor(
    session: Session,
    clock: Clock,
    firstSequence: number,
    handlers: LinkHandlers,
    probeAfterUs = PROBE_AFTER_US,
  ) {
    this.session = session;
    this.#probeAfterUs = probeAfterUs;
    this.#clock = clock;
    this.#handlers = handlers;
    this.#headroom = session.datagramHeadroom;
    this.#scratch = new Uint8Array(session.datagramHeadroom + MAX_DATAGRAM_BYTES);
    this.#nextSequence = firstSequence & 0xffff;
    this.#firstSequence = this.#nextSequence;
    this.#reportedExtended = this.#nextSequence - 1;
    session.onDatagram = (bytes) => this.#receive(bytes);
  }

  /**
   * Sends a body behind a fresh hop header: `source[offset..]`. For forwarding give the received datagram and
   * HOP_HEADER_BYTES. `spare` media (not audio, not control) is dropped first when the link is congested. `nowUs`:
   * the time, where the caller has just read it: reading a clock costs a tenth of a send.
   */
  send(
    kind: number,
    source: Uint8Array,
    offset: number,
    spare: boolean,
    nowUs = this.#clock.nowUs(),
  ): LinkDrop | undefined {
    if (
      this.#outstandingBytes > MAX_LINK_OUTSTANDING_BYTES * (spare ? 1 : 1.5) ||
      this.#isHeldUp(spare, nowUs)
    ) {
      this.#dropped["link-congested"]++;
      return "link-congested";
    }
    const length = HOP_HEADER_BYTES + source.length - offset;
    if (length > this.session.maxDatagramBytes || length > MAX_DATAGRAM_BYTES) {
      this.#dropped.oversized++;
      return "oversized";
    }
    const buffer = this.#fresh(this.#headroom + length);
    buffer.set(offset === 0 ? source : source.subarray(offset), this.#headroom + HOP_HEADER_BYTES);
    return this.#transmit(kind, buffer, length, nowUs);
  }

  /** Over TCP whatever is sent waits behind what has not arrived: nothing is added to what would be too late itself. */
  #isHeldUp(spare: boolean, nowUs: number): boolean {
    if (this.session.isReliable !== true || this.#outstandingBytes < LEAST_HELD_UP_BYTES) return false;
    const oldestUs = this.#sentAtUs[(this.#reportedExtended + 1) & HISTORY_MASK]!;
    const waitedMs = (nowUs - oldestUs) / 1000 - (this.#roundTrip.minMs ?? 0);
    return waitedMs > MAX_RELIABLE_WAIT_MS * (spare ? 1 : 2);
  }

  #transmit(kind: number, buffer: Uint8Array, length: number, nowUs: number): LinkDrop | undefined {
    writeHopHeader(buffer, this.#headroom, kind, this.#nextSequence, nowUs);
    const fault = this.session.sendDatagram(buffer);
    if (fault !== undefined) {
      this.#dropped[fault]++;
      return fault;
    }
    this.#sentBytesBefore[this.#nextSequence & HISTORY_MASK] = this.#sentBytes;
    this.#sentAtUs[this.#nextSequence & HISTORY_MASK] = nowUs;
    this.#nextSequence = (this.#nextSequence + 1) & 0xffff;
    this.#sent++;
    this.#sentBytes += length;
    this.#outstandingBytes += length;
    this.#lastSentUs = nowUs;
    return undefined;
  }

  #receive(bytes: Uint8Array): void {
    const fault = datagramFault(bytes);
    if (fault !== undefined) {
      this.#receiveDropped[fault]++;
      return;
    }
    const nowUs = this.#clock.nowUs();
    this.#lastHeardUs = nowUs;
    const repeated = this.#arrivals.push(hopSequenceOf(bytes), hopSendTimeOf(bytes), bytes.length, nowUs);
    if (repeated !== undefined) {
      this.#receiveDropped[repeated]++;
      return;
    }
    const kind = bytes[0]!;
    if (kind === DATAGRAM_MEDIA || kind === DATAGRAM_REPAIR) {
      this.#reportDue = true;
      this.#handlers.onMedia(bytes, kind, nowUs);
    } else if (kind === DATAGRAM_PROBE) {
      this.#reportDue = true;
      this.#handlers.onOther?.(bytes, nowUs);
    } else {
      this.#handlers.onOther?.(bytes, nowUs);
      this.#feedbackHeard = true;
      this.#readFeedback(bytes, nowUs);
    }
  }

  #readFeedback(bytes: Uint8Array, nowUs: number): void {
    const whole = walkSections(bytes, (type, offset, length) => {
      if (type === SECTION_RECEIVER_REPORT) {
        if (readReceiverReport(bytes, offset, length, this.#readReport)) this.#learn(this.#readReport, nowUs);
        else this.#receiveDropped.malformed++;
      } else if (type === SECTION_NACK) {
        this.#handlers.onNack?.(bytes, offset, length, nowUs);
      }
    });
    if (!whole) this.#receiveDropped.malformed++;
  }

  #learn(report: ReceiverReport, nowUs: number): void {
    const behind = (this.#nextSequence - 1 - report.highestSequence) & 0xffff;
    // A report about something that was never sent, or too old to be remembered, teaches nothing.
    if (behind >= Math.min(this.#sent, SEND_HISTORY_DATAGRAMS)) {
      this.#receiveDropped.malformed++;
      return;
    }
    const rttUs =
      ((nowUs % 0x100000000) - report.echoSendTimeUs - report.echoDelayUs + 0x200000000) % 0x100000000;
    if (rttUs < 60_000_000) this.#roundTrip.push(rttUs);
    const extended = this.#firstSequence + this.#sent - 1 - behind;
    if (extended > this.#reportedExtended) {
      const sentSince = extended - this.#reportedExtended;
      const receivedSince = (report.receivedTotal - this.#reportedReceived) >>> 0;
      const lost = Math.max(0, sentSince - receivedSince);
      this.#sendLoss += (lost / sentSince - this.#sendLoss) * SMOOTHING;
      this.#lostOutbound = Math.max(0, extended - this.#firstSequence + 1 - report.receivedTotal);
      this.#reportedExtended = extended;
      this.#reportedReceived = report.receivedTotal;
      const next = (report.highestSequence + 1) & 0xffff;
      this.#outstandingBytes =
        behind === 0 ? 0 : this.#sentBytes - this.#sentBytesBefore[next & HISTORY_MASK]!;
    }
    this.bandwidth.push(report, this.sentAtUs, this.rttMs ?? 0, nowUs);
    this.#handlers.onReport?.(report, nowUs);
  }

  /** Sends the receiver report that is due, or a probe after a silence. Call every REPORT_INTERVAL_MS. */
  tick(): void {
    const nowUs = this.#clock.nowUs();
    const sinceUs = nowUs - this.#lastReportUs;
    const { steady, receivedBytes } = this.#arrivals;
    const isCheap =
      receivedBytes - this.#reportedBytes >= BYTES_PER_REPORT || sinceUs >= SCARCE_REPORT_INTERVAL_US;
    const isDue = this.#reportDue
      ? sinceUs >= CALM_REPORT_INTERVAL_US || (!steady && isCheap)
      : this.#feedbackHeard &&
        sinceUs >= (steady ? FEEDBACK_REPORT_INTERVAL_US : LOSSY_FEEDBACK_REPORT_INTERVAL_US);
    if (isDue && this.#arrivals.report(nowUs, this.#report)) {
      this.#reportDue = false;
      this.#feedbackHeard = false;
      this.#reportedBytes = receivedBytes;
      this.#lastReportUs = nowUs;
      const buffer = this.#fresh(this.#headroom + MAX_REPORT_DATAGRAM_BYTES);
      const end = writeReceiverReport(buffer, this.#headroom + HOP_HEADER_BYTES, this.#report);
      this.#transmit(DATAGRAM_FEEDBACK, buffer.subarray(0, end), end - this.#headroom, nowUs);
    }
    if (nowUs - this.#lastSentUs >= this.#probeAfterUs) {
      const length = HOP_HEADER_BYTES;
      this.#transmit(DATAGRAM_PROBE, this.#fresh(this.#headroom + length), length, nowUs);
    }
  }

  #fresh(length: number): Uint8Array {
    if (this.session.keepsDatagramBuffer) return new Uint8Array(length);
    // Most datagrams are as long as the one before: one view serves them all.
    if (this.#view.length !== length) this.#view = this.#scratch.subarray(0, length);
    return this.#view;
  }

  /** The link's clock. */
  nowUs(): number {
    return this.#clock.nowUs();
  }

  /** Clock time of the last valid datagram, 0 = none yet. */
  get lastHeardUs(): number {
    return this.#lastHeardUs;
  }

  /** Datagrams sent of which the other side has said whether they came. */
  get reported(): number {
    return this.#reportedExtended - this.#firstSequence + 1;
  }

  /** Median of the last round trips; undefined before the first report. */
  get rttMs(): number | undefined {
    return this.#roundTrip.ms;
  }

  /** When the newest datagram with this hop sequence was sent, of the last SEND_HISTORY_DATAGRAMS. */
  readonly sentAtUs = (hopSequence: number): number => this.#sentAtUs[hopSequence & HISTORY_MASK]!;

  stats(): LinkStats {
    return {
      rttMs: this.#roundTrip.ms,
      minRttMs: this.#roundTrip.minMs,
      sendLoss: this.#sendLoss,
      datagramsLostOutbound: this.#lostOutbound,
      datagramsReceived: this.#arrivals.received,
      datagramsLostInbound: this.#arrivals.lost,
      jitterMs: this.#arrivals.jitterMs,
      outstandingBytes: this.#outstandingBytes,
      sendRateBps: this.bandwidth.rateBps,
      sendQueueMs: this.bandwidth.queueMs,
      lanes: this.session.lanes ?? 0,
      datagramsSent: this.#sent,
      bytesSent: this.#sentBytes,
      bytesReceived: this.#arrivals.receivedBytes,
      dropped: this.#dropped,
      receiveDropped: this.#receiveDropped,
      lastHeardUs: this.#lastHeardUs,
    };
  }
}
