/** A SoundDecoder for tests that needs no program: each byte is a sample of both channels, and a body that begins with "bad" fails. */
import { type SoundDecoder, SoundDecoderError, type SoundDecoderOptions } from "../../sound/sound-decoder.ts";

export function openPlainDecoder(options: SoundDecoderOptions): SoundDecoder {
  let samples = 0;
  let over = false;
  let go: (() => void) | undefined;
  let paused = false;
  return {
    queuedBytes: 0,
    droppedBytes: 0,
    push(bytes) {
      if (over) return true;
      if (samples === 0 && new TextDecoder().decode(bytes.subarray(0, 3)) === "bad") {
        over = true;
        options.onFailure(new SoundDecoderError("failed", "The sound could not be decoded: it is bad."));
        return true;
      }
      const sound = Float32Array.from(bytes, (byte) => byte / 256);
      const first = samples;
      samples += sound.length;
      options.onSound(sound, sound.slice(), first);
      return true;
    },
    pause() {
      paused = true;
    },
    resume() {
      paused = false;
      go?.();
    },
    async ready() {
      if (!paused || over) return;
      await new Promise<void>((resolve) => {
        go = resolve;
      });
    },
    async end() {
      over = true;
    },
    close() {
      over = true;
      go?.();
    },
  };
}
