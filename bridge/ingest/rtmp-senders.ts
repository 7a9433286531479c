/** Lets RTMP senders into their rooms: the stream key names the ingest, the ingest the room and who is in it. */
import type { IngestGrant, IngestKeys } from "../jobs/ingest-keys.ts";
import type { RoomAccess } from "../room/room-member.ts";
import type { Authorise, IngestControl, IngestSink } from "../rtmp/ingest-sink.ts";
import type { OpenSoundDecoder } from "../sound/sound-decoder.ts";
import { RtmpParticipant } from "./rtmp-participant.ts";

export interface SendersDeps {
  ingests: IngestKeys;
  access: RoomAccess;
  openDecoder: OpenSoundDecoder;
  log(line: string): void;
}

export function authoriseRtmp(deps: SendersDeps): Authorise {
  const { ingests } = deps;
  return async ({ streamKey }) => {
    // Ended before it is opened: what is to be ended comes later.
    let end = (_message: string): void => undefined;
    let endedEarly: string | undefined;
    const answer = await ingests.open("rtmp", streamKey, (reason) => {
      endedEarly = END_SENTENCES[reason];
      end(endedEarly);
    });
    if (!answer.granted) {
      const { refusal, message } = answer;
      return { granted: false, message: `Refused: ${message}.`, wrongKey: refusal === "unknown-key" };
    }
    const { grant } = answer;
    return {
      granted: true,
      publication: grant.job.id,
      open: (control) => {
        end = (message) => control.end(message);
        if (endedEarly !== undefined) control.end(endedEarly);
        return enter(grant, control, deps);
      },
    };
  };
}

function enter(grant: IngestGrant, control: IngestControl, deps: SendersDeps): IngestSink {
  const { job } = grant;
  const { identity, name } = job.spec;
  grant.report({ state: "starting" });
  const participant = new RtmpParticipant({
    room: job.room,
    member: { identity, name: name ?? identity },
    access: deps.access,
    openDecoder: deps.openDecoder,
    control,
    onState(state, message): void {
      grant.report({ state, message });
      if (state === "ended")
        grant
          .close()
          .catch((error: unknown) => deps.log(`the ingest ${job.id} is not given up: ${String(error)}`));
    },
    log: deps.log,
  });
  return participant;
}

const END_SENTENCES = {
  deleted: "The ingest was deleted.",
  "claim-lost": "Another bridge has this ingest now.",
  draining: "This bridge is being restarted: connect again.",
  closing: "This bridge is being restarted: connect again.",
  "taken-over": "Another sender came with the same stream key.",
} as const;
