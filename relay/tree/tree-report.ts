/** A relay's place in a room's tree for operators: where it is, and how each of its links does (core/wire/operations-api.ts). */
import type { TreeLink, TreePlace } from "../../core/wire/operations-api.ts";
import type { RelayLink } from "./relay-link.ts";
import type { RoomTree } from "./room-tree.ts";

export function placeOf(tree: RoomTree): TreePlace {
  const { room, parent } = tree;
  const { id, region } = tree.surroundings.address();
  const { epoch, path, deputy } = tree.position;
  return {
    room: room.name,
    relayId: id,
    region,
    root: tree.isRoot,
    provisional: tree.isProvisional,
    epoch,
    path: path.map((relay) => relay.id),
    ...(deputy === undefined ? {} : { deputy: deputy.id }),
    ...(parent === undefined ? {} : { parent: linkOf(parent) }),
    children: [...tree.children.values()].map((child) => ({
      ...linkOf(child),
      below: [...child.below],
      height: child.height,
    })),
    participantsHere: room.members.size,
    participantsElsewhere: room.remote.byIdentity.size,
    tracks: room.tracks.size,
  };
}

function linkOf(link: RelayLink): TreeLink {
  const stats = link.link.stats();
  return {
    relayId: link.relay.id,
    region: link.relay.region,
    rttMs: stats.rttMs ?? null,
    lossOut: Math.min(1, stats.sendLoss),
    lossIn: Math.min(1, link.recovery.inbound.loss),
    sendRateBps: stats.sendRateBps ?? null,
    queueMs: stats.sendQueueMs,
    tracksOut: new Set([...link.subscriptions.values()].map(({ track }) => track.trackId)).size,
    tracksIn: [...link.tracks.values()].filter(isWanted).length,
    datagramsSent: stats.datagramsSent,
    datagramsReceived: stats.datagramsReceived,
    bytesSent: stats.bytesSent,
    bytesReceived: stats.bytesReceived,
    repairsSent: link.recovery.totals().repairsSent,
    silent: link.isSilent,
    leaving: link.isLeaving,
  };
}

/** Of a remote track nothing comes over the link while nobody here subscribes to it. */
function isWanted({ renditions }: { renditions: readonly { subscriptions: readonly unknown[] }[] }): boolean {
  return renditions.some(({ subscriptions }) => subscriptions.length > 0);
}
