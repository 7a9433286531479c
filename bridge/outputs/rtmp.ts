/** An RTMP output: the programme to one or several targets. */
import type { Clock, Random } from "../../core/clock.ts";
import { RtmpOutput } from "../rtmp-out/rtmp-output.ts";
import type { Dial } from "../rtmp-out/target.ts";
import type { TargetGuard } from "../rtmp-out/target-address.ts";
import type { SoundEncoder, SoundEncoderOptions } from "../sound/sound-encoder.ts";
import type { JobOf, OpenOutput, OpenOutputOn } from "./output-run.ts";

export interface RtmpOutputs {
  clock: Clock;
  random: Random;
  openEncoder(options: SoundEncoderOptions): Promise<SoundEncoder>;
  guard: TargetGuard;
  dial: Dial;
}

export function rtmpOutput(deps: RtmpOutputs): OpenOutputOn<JobOf<"rtmp">> {
  return async ({ spec }, programme): Promise<OpenOutput> => {
    const output = new RtmpOutput(spec.targets, { ...deps, programme });
    const sum = (of: "bytesSent" | "dropped"): number =>
      output.status.targets.reduce((all, target) => all + target[of], 0);
    return {
      report: () => output.status,
      counts: () => ({ "bytes-out/rtmp": sum("bytesSent"), "dropped/rtmp-target/slow": sum("dropped") }),
      close: () => output.close(),
    };
  };
}
