/** An MP3 output: the programme's sound as one endless stream for everybody who listens to the room. */
import type { Clock } from "../../core/clock.ts";
import { Mp3Output } from "../mp3/mp3-output.ts";
import type { JobOf, OpenOutput, OpenOutputOn } from "./output-run.ts";

export interface Mp3Outputs {
  clock: Clock;
  /** Rooms that can be listened to now, by name: what the routes serve. */
  rooms: Map<string, Mp3Output>;
  publicUrl: string;
}

export function mp3Output({ clock, rooms, publicUrl }: Mp3Outputs): OpenOutputOn<JobOf<"mp3">> {
  return async ({ room, spec }, programme, fail): Promise<OpenOutput> => {
    const output = await Mp3Output.open({
      room,
      bitrateKbps: spec.bitrateKbps,
      nowUs: () => clock.nowUs(),
      onFailure: ({ message }) => fail(message),
    });
    const remove = programme.add(output);
    rooms.set(room, output);
    const url = `${publicUrl}/listen/${encodeURIComponent(room)}.mp3`;
    return {
      report(): ReturnType<OpenOutput["report"]> {
        const { listeners, latencyMs } = output.status();
        return { state: "running", latencyMs, audience: listeners, url };
      },
      counts() {
        const { sentBytes, droppedSlow, refused } = output.status();
        return {
          "bytes-out/mp3": sentBytes,
          "dropped/mp3-listener/slow": droppedSlow,
          "dropped/mp3-listener/too-many": refused,
        };
      },
      async close(): Promise<void> {
        remove();
        output.onEnd();
        if (rooms.get(room) === output) rooms.delete(room);
      },
    };
  };
}
