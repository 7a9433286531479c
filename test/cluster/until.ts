/** Waits, within bounds, for what has to come about by itself in other processes. */
import assert from "node:assert/strict";
import { pause } from "../etcd/etcd-cluster.ts";

const LOOK_MS = 50;
const MAX_LOOKS = 200;

/** Rejects with what did not happen. `what` names it. */
export async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (let look = 0; look < MAX_LOOKS; look++) {
    if (await condition()) return;
    await pause(LOOK_MS);
  }
  assert.fail(`${what} did not happen`);
}
