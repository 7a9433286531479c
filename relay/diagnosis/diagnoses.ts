/** The diagnoses that a relay serves: let in by ticket up to a maximum, counted by how they ended. docs/wire.md, "Diagnosis". */
import type { Clock, Random } from "../../core/clock.ts";
import type { Session } from "../../core/session/session.ts";
import type { CloseReason } from "../../core/wire/close-codes.ts";
import {
  MAX_DIAGNOSES_PER_RELAY,
  MAX_DIAGNOSIS_BPS,
  MAX_DIAGNOSIS_MS,
  MAX_LANES,
  PROTOCOL_VERSION,
} from "../../core/wire/limits.ts";
import { type MetricsText, seriesBy } from "../metrics-text.ts";
import type { Admitted, DiagnosisArrival } from "../newcomer.ts";
import { Refusal } from "../refusal.ts";
import { DiagnosisRun } from "./diagnosis-run.ts";

export interface DiagnosesOptions {
  clock: Clock;
  random: Random;
  relayId(): string;
  /** Lets further connections carry the datagrams of a session, as in a call. */
  addLanes(key: string, session: Session): void;
  onRateLimited(): void;
}

export class Diagnoses {
  readonly #options: DiagnosesOptions;
  readonly #running = new Set<DiagnosisRun>();
  readonly #ended: Record<string, number> = { normal: 0, lost: 0, "timed-out": 0, "relay-full": 0 };

  constructor(options: DiagnosesOptions) {
    this.#options = options;
  }

  /** Throws Refusal. */
  admit(arrival: DiagnosisArrival): Admitted {
    const { clock, random, relayId, addLanes, onRateLimited } = this.#options;
    const { session, channel, request } = arrival;
    if (this.#running.size >= MAX_DIAGNOSES_PER_RELAY) {
      this.#count("relay-full");
      throw new Refusal("relay-full", "the relay serves as many diagnoses as it may: try again in a minute");
    }
    const run = new DiagnosisRun({
      session,
      clock,
      random,
      send: (message) => channel.send(message),
      onRateLimited,
      onEnd: (how) => {
        channel.stop();
        this.#running.delete(run);
        this.#count(how);
      },
    });
    this.#running.add(run);
    if (request.laneKey !== undefined) addLanes(request.laneKey, session);
    channel.send({
      type: "diagnosing",
      version: PROTOCOL_VERSION,
      relayId: relayId(),
      maxBps: MAX_DIAGNOSIS_BPS,
      maxMs: MAX_DIAGNOSIS_MS,
      maxLanes: MAX_LANES,
    });
    return {
      onMessage: (message) => run.onMessage(message),
      onChannelEnd: (reason, message) => run.close(reason === "lost" ? "normal" : reason, message),
    };
  }

  #count(how: CloseReason | "timed-out"): void {
    this.#ended[how] = (this.#ended[how] ?? 0) + 1;
  }

  /** The relay is going away. */
  end(): void {
    for (const run of this.#running) run.close("draining", "the relay is going away");
  }

  write(text: MetricsText): void {
    text.gauge("tributary_diagnoses", "Sessions that measure the way to this relay now.", this.#running.size);
    text.counters(
      "tributary_diagnoses_ended_total",
      "Diagnoses, by how they ended; relay-full = not let in.",
      seriesBy("how", this.#ended),
    );
  }
}
