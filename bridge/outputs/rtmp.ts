/** An RTMP output: the programme to one or several targets. */
import type { Clock, Random } from "../../core/clock.ts";
import type { OutputJob, OutputSpec } from "../../core/wire/bridge-jobs.ts";
import { RtmpOutput } from "../rtmp-out/rtmp-output.ts";
import type { Dial } from "../rtmp-out/target.ts";
import type { TargetGuard } from "../rtmp-out/target-address.ts";
import type { SoundEncoder, SoundEncoderOptions } from "../sound/sound-encoder.ts";
import type { OpenOutput, OpenOutputOn } from "./output-run.ts";

export interface RtmpOutputs {
  clock: Clock;
  random: Random;
  openEncoder(options: SoundEncoderOptions): Promise<SoundEncoder>;
  guard: TargetGuard;
  dial: Dial;
}

export type JobOf<Type extends OutputSpec["type"]> = OutputJob & {
  spec: Extract<OutputSpec, { type: Type }>;
};

export function rtmpOutput(deps: RtmpOutputs): OpenOutputOn<JobOf<"rtmp">> {
  return async ({ spec }, programme): Promise<OpenOutput> => {
    const output = new RtmpOutput(spec.targets, { ...deps, programme });
    return { report: () => output.status, close: () => output.close() };
  };
}
