/** Starts whatever output a job asks for. */
import type { Clock } from "../../core/clock.ts";
import type { OutputJob, ProgrammeSpec } from "../../core/wire/bridge-jobs.ts";
import type { StartJob } from "../jobs/running-job.ts";
import type { Programmes } from "../programme/programmes.ts";
import { type OpenOutputOn, OutputRun } from "./output-run.ts";
import type { JobOf } from "./rtmp.ts";

export interface OutputKinds {
  rtmp: OpenOutputOn<JobOf<"rtmp">>;
  hls: OpenOutputOn<JobOf<"hls">>;
  mp3: OpenOutputOn<JobOf<"mp3">>;
  recording: OpenOutputOn<JobOf<"recording">>;
}

export function startOutput(kinds: OutputKinds, programmes: Programmes, clock: Clock): StartJob {
  return (job, report) =>
    new OutputRun({
      job,
      spec: programmeSpecOf(job),
      programmes,
      clock,
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
  ...rest: Parameters<OpenOutputOn> extends [unknown, ...infer R] ? R : never
) {
  const { spec } = job;
  switch (spec.type) {
    case "rtmp":
      return kinds.rtmp({ ...job, spec }, ...rest);
    case "hls":
      return kinds.hls({ ...job, spec }, ...rest);
    case "mp3":
      return kinds.mp3({ ...job, spec }, ...rest);
    case "recording":
      return kinds.recording({ ...job, spec }, ...rest);
  }
}
