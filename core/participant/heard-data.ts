/** Tells data messages that a second session delivers too, while a participant moves: the sender's relay has stamped both alike. */
import { MAX_REMEMBERED_DATA_IDS } from "../wire/limits.ts";
import type { ParticipantEvent } from "./events.ts";

type Data = Extract<ParticipantEvent, { type: "data" }>;

export class HeardData {
  /** In order of arrival, with the session that delivered each first. */
  readonly #firstVia = new Map<string, object>();

  /** False for one that another session has delivered. `via`: the session. */
  isNew({ from, topic, sentAtUs, payload }: Data, via: object): boolean {
    const key = `${from} ${sentAtUs} ${payload.length} ${topic}`;
    const first = this.#firstVia.get(key);
    if (first !== undefined) return first === via;
    this.#firstVia.set(key, via);
    if (this.#firstVia.size > MAX_REMEMBERED_DATA_IDS)
      this.#firstVia.delete(this.#firstVia.keys().next().value!);
    return true;
  }
}
