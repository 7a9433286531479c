import { expect, it } from "vitest";
import { audioLevelOf, VoiceDetector } from "./audio-level.ts";

function sine(amplitude: number): Float32Array {
  return Float32Array.from({ length: 960 }, (_, i) => amplitude * Math.sin((2 * Math.PI * 440 * i) / 48_000));
}

it("reads full scale as 0, silence as 127 and a sine as 3 dB below its peak", () => {
  expect(audioLevelOf(new Float32Array(960).fill(1))).toBe(0);
  expect(audioLevelOf(new Float32Array(960))).toBe(127);
  expect(audioLevelOf(new Float32Array(0))).toBe(127);
  expect(audioLevelOf(sine(1))).toBe(3);
  expect(audioLevelOf(sine(0.01))).toBe(43);
});

it("hears speech over its own noise floor, and not the noise", () => {
  const detector = new VoiceDetector();
  for (let i = 0; i < 100; i++) detector.push(70);
  expect(detector.push(70)).toBe(false);
  expect(detector.push(30)).toBe(true);
  // Word gaps do not end it; a long pause does.
  expect(detector.push(70)).toBe(true);
  for (let i = 0; i < 30; i++) detector.push(70);
  expect(detector.push(70)).toBe(false);
});
