/** A recording: the programme's parts into a file that can be played at any moment. */
import type { Recordings } from "../recording/recordings.ts";
import type { JobOf, OpenOutput, OpenOutputOn } from "./output-run.ts";
import type { SharedParts } from "./shared-parts.ts";

export interface RecordingOutputs {
  parts: SharedParts;
  recordings: Recordings;
  publicUrl: string;
}

export function recordingOutput({
  parts,
  recordings,
  publicUrl,
}: RecordingOutputs): OpenOutputOn<JobOf<"recording">> {
  return async ({ id, room, spec }, programme): Promise<OpenOutput> => {
    const held = await parts.hold(programme, spec.picture, "aac");
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
        await recorder.close(goesOn ? "recording" : "complete");
        await held.release();
      },
    };
  };
}
