/** What the trees of all rooms of a relay share: the cluster as the relay knows it, and how it is acted on. */
import type { Clock, Random } from "../../core/clock.ts";
import type { RoomClaim } from "../../core/directory/directory.ts";
import type { Session } from "../../core/session/session.ts";
import type { RelayAddress } from "../../core/wire/tree-messages.ts";
import type { Forwarder } from "../forwarder.ts";
import type { Room } from "../room.ts";
import type { ClusterView } from "./cluster-view.ts";
import type { RelayKeys } from "./credential.ts";

export interface TreeSurroundings {
  clock: Clock;
  random: Random;
  forwarder: Forwarder;
  view: ClusterView;
  keys: RelayKeys;
  /** How other relays find this one. */
  address(): RelayAddress;
  isDraining(): boolean;
  /** The claim that stands, or undefined when the directory does not answer. */
  claimRoom(room: string, after: number): Promise<RoomClaim | undefined>;
  supersedeRoom(claim: RoomClaim): Promise<RoomClaim | undefined>;
  releaseRoom(room: string): Promise<void>;
  connect(address: RelayAddress, timeoutMs: number): Promise<Session>;
  /** The room has fewer links than before. */
  onEmptier(room: Room): void;
  log(line: string): void;
}
