/** Camera and microphone, looked at as a call would use them: allowed, there, a picture that is not black, sound that is not silence. */
import type { CheckBoard, Finding } from "../../../core/participant/diagnosis/check-board.ts";
import { RoomError } from "../api.ts";
import { captureCamera, captureMicrophone } from "../local-capture.ts";

export type DeviceCheck = "camera" | "microphone";

/** Cameras show black for a moment after they start. */
const PICTURE_PATIENCE_MS = 3_000;
const LOOK_EVERY_MS = 100;
/** Brightest of 255 in a picture with a covered lens; sensors' noise stays below it. */
const BLACK_BELOW = 40;
/** Pictures are looked at in this size: each of its dots stands for many. */
const LOOK_WIDTH = 64;
const LOOK_HEIGHT = 36;
/** People need a moment to say something. */
const SOUND_PATIENCE_MS = 4_000;
/** Speech near a microphone lies above this, dB of full scale; the noise of a quiet room below. */
const SPEECH_DBFS = -50;
/** Even the noise of a device's own electronics lies above it: below there is nothing at all. */
const NOTHING_DBFS = -90;

/** Ends the check of that device; lets go of the device before it resolves. Never rejects. */
export async function checkDevice(
  board: CheckBoard,
  device: DeviceCheck,
  signal: AbortSignal,
): Promise<void> {
  board.run(device);
  let track: MediaStreamTrack | undefined;
  try {
    track = device === "camera" ? await captureCamera({}) : await captureMicrophone(undefined, true);
    signal.throwIfAborted();
    board.set(device, device === "camera" ? await lookAt(track, signal) : await listenTo(track, signal));
  } catch (error) {
    if (signal.aborted) board.skip([device], "Not looked at: the diagnosis was called off.");
    else board.set(device, refused(device, error));
  } finally {
    track?.stop();
  }
}

function refused(device: DeviceCheck, error: unknown): Finding {
  const meaning = device === "camera" ? "Others will not see you." : "Others will not hear you.";
  const code = error instanceof RoomError ? error.code : "device-failed";
  const sentence = error instanceof Error ? error.message : String(error);
  const [found = sentence, ...todo] = sentence.split(/(?<=\.) /);
  return { state: "failed", code, message: `${found} ${meaning}`, advice: todo.join(" ") };
}

async function lookAt(track: MediaStreamTrack, signal: AbortSignal): Promise<Finding> {
  const video = document.createElement("video");
  video.muted = true;
  video.playsInline = true;
  video.srcObject = new MediaStream([track]);
  try {
    await video.play();
    const context = new OffscreenCanvas(LOOK_WIDTH, LOOK_HEIGHT).getContext("2d", {
      willReadFrequently: true,
    });
    const brightest = await untilAbove(BLACK_BELOW, PICTURE_PATIENCE_MS, signal, () => {
      context?.drawImage(video, 0, 0, LOOK_WIDTH, LOOK_HEIGHT);
      return brightestOf(
        context?.getImageData(0, 0, LOOK_WIDTH, LOOK_HEIGHT).data ?? new Uint8ClampedArray(),
      );
    });
    const { frameRate = 0 } = track.getSettings();
    const size = { width: video.videoWidth, height: video.videoHeight };
    const figures = { ...size, frameRate, brightest };
    if (brightest >= BLACK_BELOW) {
      return {
        state: "ok",
        figures,
        message: `The camera gives a picture of ${size.width} × ${size.height}.`,
      };
    }
    return {
      state: "failed",
      code: "black",
      figures,
      message: "The camera is on and its picture is black. Others will not see you.",
      advice: "Open the camera’s cover or privacy switch, take off what covers it, or choose another camera.",
    };
  } finally {
    video.srcObject = null;
  }
}

function brightestOf(rgba: Uint8ClampedArray): number {
  let brightest = 0;
  for (let at = 0; at + 2 < rgba.length; at += 4) {
    // Rec. 601 luma.
    brightest = Math.max(brightest, 0.299 * rgba[at]! + 0.587 * rgba[at + 1]! + 0.114 * rgba[at + 2]!);
  }
  return Math.round(brightest);
}

async function listenTo(track: MediaStreamTrack, signal: AbortSignal): Promise<Finding> {
  const context = new AudioContext();
  try {
    await Promise.race([context.resume(), pause(PICTURE_PATIENCE_MS, signal)]);
    const analyser = context.createAnalyser();
    analyser.fftSize = 4096;
    context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    const loudestDbfs = await untilAbove(SPEECH_DBFS, SOUND_PATIENCE_MS, signal, () => {
      analyser.getFloatTimeDomainData(samples);
      return levelOf(samples);
    });
    return soundFinding(loudestDbfs, track.muted);
  } finally {
    await context.close();
  }
}

function soundFinding(loudestDbfs: number, isMuted: boolean): Finding {
  const figures = { loudestDbfs: Math.max(-120, Math.round(loudestDbfs)), isMuted };
  if (loudestDbfs >= SPEECH_DBFS) return { state: "ok", figures, message: "The microphone hears you." };
  if (loudestDbfs < NOTHING_DBFS) {
    return {
      state: "failed",
      code: "silent",
      figures,
      message: "The microphone is on and gives no sound at all. Others will not hear you.",
      advice:
        "Switch it on: look for a mute switch on the headset or a mute key, turn its level up in the system’s sound settings, or choose another one.",
    };
  }
  return {
    state: "warning",
    code: "quiet",
    figures,
    message: "The microphone works, but nobody was heard speaking.",
    advice: "Run this again and say something. If it stays quiet, come closer or turn its level up.",
  };
}

/** Root of the mean square, dB of full scale. */
function levelOf(samples: Float32Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  return 10 * Math.log10(sum / samples.length);
}

/** The highest of what was measured, until one reaches `goal` or patience ends. */
async function untilAbove(
  goal: number,
  patienceMs: number,
  signal: AbortSignal,
  measure: () => number,
): Promise<number> {
  const endMs = performance.now() + patienceMs;
  let best = Number.NEGATIVE_INFINITY;
  while (best < goal && performance.now() < endMs) {
    await pause(LOOK_EVERY_MS, signal);
    best = Math.max(best, measure());
  }
  return best;
}

async function pause(durationMs: number, signal: AbortSignal): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, durationMs));
  signal.throwIfAborted();
}
