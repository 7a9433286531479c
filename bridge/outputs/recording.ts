/** A recording: the programme's parts into a file that can be played at any moment, and files of single participants where they are asked for. */
import type { Clock } from "../../core/clock.ts";
import type { JobLog } from "../jobs/running-job.ts";
import type { Recordings } from "../recording/recordings.ts";
import type { JobOf, OpenOutput, OpenOutputOn } from "./output-run.ts";
import { ParticipantRecorders } from "./participant-recorders.ts";
import { type SharedParts, withoutPicture } from "./shared-parts.ts";

export interface RecordingOutputs {
  parts: SharedParts;
  recordings: Recordings;
  clock: Clock;
  publicUrl: string;
  log: JobLog;
}

export function recordingOutput({
  parts,
  recordings,
  clock,
  publicUrl,
  log,
}: RecordingOutputs): OpenOutputOn<JobOf<"recording">> {
  return async ({ id, room, spec }, programme): Promise<OpenOutput> => {
    const held = await parts.hold(programme, withoutPicture(spec.picture), "aac");
    const participants = () => [...programme.participants];
    const recorder = await recordings
      .open({ jobId: id, room, participants })
      .catch(async (error: unknown) => {
        await held.release();
        throw error;
      });
    // It may be one that goes on.
    const bytesBefore = recorder.status.bytes;
    const remove = held.parts.add(recorder);
    const files = spec.participants
      ? new ParticipantRecorders({ programme, parts, recorder, clock, log })
      : undefined;
    return {
      report(): ReturnType<OpenOutput["report"]> {
        const { state, message, durationMs } = recorder.status;
        const began = durationMs > 0 ? "running" : "starting";
        const url = `${publicUrl}/${recorder.info.playlistPath}`;
        return { state: state === "storage-failing" ? "reconnecting" : began, message, url };
      },
      counts: () => ({ "recorded/bytes": recorder.status.bytes - bytesBefore }),
      async close(goesOn): Promise<void> {
        remove();
        await files?.close();
        await recorder.close(goesOn ? "recording" : "complete");
        await held.release();
      },
    };
  };
}
