/** Starts whatever output a job asks for. */
import type { Clock } from "../../core/clock.ts";
import type { OutputJob, ProgrammeSpec } from "../../core/wire/bridge-jobs.ts";
import type { StartJob } from "../jobs/running-job.ts";
import type { WholeProgramme } from "../programme/programme.ts";
import type { Programmes } from "../programme/programmes.ts";
import type { RunningCounts } from "../running-counts.ts";
import { type JobOf, type OpenOutput, type OpenOutputOn, OutputRun } from "./output-run.ts";

export interface OutputKinds {
  rtmp: OpenOutputOn<JobOf<"rtmp">>;
  hls: OpenOutputOn<JobOf<"hls">>;
  mp3: OpenOutputOn<JobOf<"mp3">>;
  recording: OpenOutputOn<JobOf<"recording">>;
}

export function startOutput(
  kinds: OutputKinds,
  { programmes, clock, counts }: { programmes: Programmes; clock: Clock; counts: RunningCounts },
): StartJob {
  return (job, report) =>
    new OutputRun({
      job,
      spec: programmeSpecOf(job),
      programmes,
      clock,
      counts,
      report,
      open: (_job, programme, fail) => open(kinds, job, programme, fail),
    });
}

function programmeSpecOf({ spec }: OutputJob): ProgrammeSpec {
  const picture = spec.type === "mp3" ? ({ mode: "none" } as const) : spec.picture;
  return { picture, gainsDb: spec.gainsDb };
}

function open(
  kinds: OutputKinds,
  job: OutputJob,
  programme: WholeProgramme,
  fail: (message: string) => void,
): Promise<OpenOutput> {
  const { spec } = job;
  switch (spec.type) {
    case "rtmp":
      return kinds.rtmp({ ...job, spec }, programme, fail);
    case "hls":
      return kinds.hls({ ...job, spec }, programme, fail);
    case "mp3":
      return kinds.mp3({ ...job, spec }, programme, fail);
    case "recording":
      return kinds.recording({ ...job, spec }, programme, fail);
  }
}
