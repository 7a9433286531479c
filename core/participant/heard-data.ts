/** Tells data messages that two relays deliver while a participant moves from one to the other: the sender's relay has stamped both alike. */
import { MAX_REMEMBERED_DATA_IDS } from "../wire/limits.ts";
import type { ParticipantEvent } from "./events.ts";

type Data = Extract<ParticipantEvent, { type: "data" }>;

export class HeardData {
  /** In order of arrival. */
  readonly #keys = new Set<string>();

  /** False for one that has been heard before. */
  isNew({ from, topic, sentAtUs, payload }: Data): boolean {
    const key = `${from} ${sentAtUs} ${payload.length} ${topic}`;
    if (this.#keys.has(key)) return false;
    this.#keys.add(key);
    if (this.#keys.size > MAX_REMEMBERED_DATA_IDS) this.#keys.delete(this.#keys.values().next().value!);
    return true;
  }
}
