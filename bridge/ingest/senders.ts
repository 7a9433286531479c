/** Lets senders into their rooms, RTMP and Icecast alike: the stream key names the ingest, the ingest the room and who is in it. */
import type { AuthoriseIcecast } from "../icecast/icecast-sink.ts";
import type { IngestEndReason, IngestGrant, IngestKeys } from "../jobs/ingest-keys.ts";
import type { MemberIdentity } from "../room/gateway-access.ts";
import type { RoomAccess } from "../room/room-member.ts";
import type { Authorise, IngestStats } from "../rtmp/ingest-sink.ts";
import type { RunningCounts } from "../running-counts.ts";
import type { OpenSoundDecoder } from "../sound/sound-decoder.ts";
import { IcecastParticipant } from "./icecast-participant.ts";
import { RtmpParticipant } from "./rtmp-participant.ts";

export interface SendersDeps {
  ingests: IngestKeys;
  access: RoomAccess;
  openDecoder: OpenSoundDecoder;
  counts: RunningCounts;
  log(line: string): void;
}

/** What a participant is told of its place, whichever protocol it speaks. */
interface Place {
  room: string;
  member: MemberIdentity;
  access: RoomAccess;
  onState(state: "running" | "ended", message: string): void;
  log(line: string): void;
}

type Opened =
  | { granted: true; publication: string; place: Place; hold(control: { end(message: string): void }): void }
  | { granted: false; message: string; wrongKey: boolean };

const END_SENTENCES: Readonly<Record<IngestEndReason, string>> = {
  deleted: "The ingest was deleted.",
  "claim-lost": "Another bridge has this ingest now.",
  draining: "This bridge is being restarted: connect again.",
  closing: "This bridge is being restarted: connect again.",
  "taken-over": "Another sender came with the same stream key.",
};

export function authoriseRtmp(deps: SendersDeps): Authorise {
  return async ({ streamKey }) => {
    const opened = await open("rtmp", streamKey, deps);
    if (!opened.granted) return opened;
    const { publication, place, hold } = opened;
    return {
      granted: true,
      publication,
      open(control) {
        hold(control);
        const ends = counted(
          place,
          deps.counts.add(() => countsOf(control.stats)),
        );
        return new RtmpParticipant({ ...place, ...ends, openDecoder: deps.openDecoder, control });
      },
    };
  };
}

export function authoriseIcecast(deps: SendersDeps): AuthoriseIcecast {
  return async ({ purpose, streamKey }) => {
    if (purpose === "metadata") {
      const job = await deps.ingests.find(streamKey);
      if (job === undefined)
        return { granted: false, message: "There is no such stream key.", wrongKey: true };
      const open = (): never => {
        throw new Error("metadata opens no source");
      };
      return { granted: true, publication: job.id, open };
    }
    const opened = await open("icecast", streamKey, deps);
    if (!opened.granted) return opened;
    const { publication, place, hold } = opened;
    return {
      granted: true,
      publication,
      open(control) {
        hold(control);
        const ends = counted(
          place,
          deps.counts.add(() => ({ "bytes-in/icecast": control.stats.bytes })),
        );
        return new IcecastParticipant({ ...place, ...ends, control });
      },
    };
  };
}

/** The place of a sender whose counts are taken over when it has ended. */
function counted({ onState }: Place, endCounts: () => void): Pick<Place, "onState"> {
  return {
    onState(state, message): void {
      if (state === "ended") endCounts();
      onState(state, message);
    },
  };
}

function countsOf({ bytes, videoUnits, audioUnits, dropped }: Readonly<IngestStats>) {
  return {
    "bytes-in/rtmp": bytes,
    "units-in/picture": videoUnits,
    "units-in/sound": audioUnits,
    "dropped/sender/no-config": dropped["no-config"],
    "dropped/sender/no-keyframe": dropped["no-keyframe"],
    "dropped/sender/other-track": dropped["other-track"],
    "dropped/sender/malformed": dropped.malformed,
    "dropped/sender/too-large": dropped["too-large"],
    "dropped/sender/not-media": dropped["not-media"],
  };
}

async function open(type: "rtmp" | "icecast", streamKey: string, deps: SendersDeps): Promise<Opened> {
  // It may have to go before its connection is ours to end.
  let end = (_message: string): void => undefined;
  let ended: string | undefined;
  const answer = await deps.ingests.open(type, streamKey, (reason) => {
    ended = END_SENTENCES[reason];
    end(ended);
  });
  if (!answer.granted) {
    const { refusal, message } = answer;
    return { granted: false, message: `Refused: ${message}.`, wrongKey: refusal === "unknown-key" };
  }
  const { grant } = answer;
  grant.report({ state: "starting" });
  return {
    granted: true,
    publication: grant.job.id,
    place: placeOf(grant, deps),
    hold(control): void {
      end = (message) => control.end(message);
      if (ended !== undefined) control.end(ended);
    },
  };
}

function placeOf(grant: IngestGrant, { access, log }: SendersDeps): Place {
  const { id, room, spec } = grant.job;
  return {
    room,
    member: { identity: spec.identity, name: spec.name ?? spec.identity },
    access,
    onState(state, message): void {
      grant.report({ state, message });
      if (state === "running") return;
      grant.close().catch((error: unknown) => log(`the ingest ${id} is not given up: ${String(error)}`));
    },
    log,
  };
}
