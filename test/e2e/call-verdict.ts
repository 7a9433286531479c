/** Whether one page sees and hears another as it should: the call test's bounds, said in a line. */
import { expect } from "vitest";
import { judgeTone, type RoomPage, untilGood } from "./room-page.ts";

const LOOK_MS = 2_000;

/** Fails where `listener` does not see `speaker` at the camera's rate, or hears something else than the tone. */
export async function expectCall(listener: RoomPage, speaker: string): Promise<void> {
  await listener.firstPicture(speaker);
  const rate = await untilGood(
    () => listener.renderedRate(speaker, LOOK_MS),
    (perSecond) => perSecond > 24,
  );
  const { toneShare } = await untilGood(
    async () => judgeTone(await listener.listen(LOOK_MS)),
    (tone) => tone.toneShare > 0.9 && tone.loudShare < 0.9,
  );
  const { connection } = await listener.stats();
  const video = await listener.inbound(speaker, "video");
  const audio = await listener.inbound(speaker, "audio");
  const whole = (value: number | undefined): string => value?.toFixed(0) ?? "?";
  console.info(
    `  ${listener.identity} by ${connection.transport}: in the room after ${connection.joinMs} ms, ${rate.toFixed(1)} pictures a second,`,
    `${(toneShare * 100).toFixed(0)} % tone, ${whole(audio.captureToRenderMs)} ms to the speaker, ${whole(video.captureToRenderMs)} ms to the screen,`,
    `sound before picture ${whole(video.avOffsetMs)} ms`,
  );
  expect(rate).toBeGreaterThan(24);
  expect(toneShare).toBeGreaterThan(0.9);
}
