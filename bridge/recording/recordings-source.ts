/** The history as the operations API asks for it. */
import type { RecordingInfo } from "../../core/wire/bridge-jobs.ts";
import type { RecordingsSource } from "../operations-routes.ts";
import type { History } from "./history.ts";
import { MAX_LISTED } from "./limits.ts";

export function recordingsSource(history: History): RecordingsSource {
  return {
    async list(room): Promise<RecordingInfo[]> {
      const all: RecordingInfo[] = [];
      let after: string | undefined;
      do {
        const page = await history.list({ room, limit: MAX_LISTED, after });
        all.push(...page.recordings);
        after = page.next;
      } while (after !== undefined);
      return all;
    },
    get: (id) => history.info(id),
    async delete(id) {
      if ((await history.info(id))?.state === "recording") return "recording";
      return (await history.delete(id)) ? "deleted" : "absent";
    },
  };
}
