/** Gets devices and screens from the browser, and says in a sentence why one cannot be had. */
import { RoomError } from "./api.ts";

const SENTENCES: Readonly<Record<string, [code: string, sentence: (what: string) => string]>> = {
  NotAllowedError: [
    "permission-denied",
    (what) => `The ${what} was not allowed. Allow it in the browser's address bar and try again.`,
  ],
  NotFoundError: ["no-device", (what) => `No ${what} was found. Plug one in and try again.`],
  OverconstrainedError: ["no-device", (what) => `The chosen ${what} is no longer there. Choose another one.`],
  NotReadableError: [
    "device-busy",
    (what) => `The ${what} is used by another program. Close it and try again.`,
  ],
};

function refusal(what: string, cause: unknown): RoomError {
  const name = cause instanceof Error ? cause.name : "";
  const [code, sentence] = SENTENCES[name] ?? [
    "device-failed",
    (device: string) => `The ${device} could not be started. Choose another one or try again.`,
  ];
  return new RoomError(code, sentence(what), { cause });
}

function mediaDevices(): MediaDevices {
  if (navigator.mediaDevices === undefined) {
    throw new RoomError(
      "insecure-page",
      "Devices need a secure page: open this address with https:// or on localhost.",
    );
  }
  return navigator.mediaDevices;
}

/** `isRaw`: as the device gives it, without what browsers do for speech. Rejects with RoomError. */
export async function captureMicrophone(
  deviceId: string | undefined,
  isRaw = false,
): Promise<MediaStreamTrack> {
  const audio: MediaTrackConstraints = {
    echoCancellation: !isRaw,
    noiseSuppression: !isRaw,
    autoGainControl: !isRaw,
    channelCount: { ideal: 1 },
    sampleRate: { ideal: 48_000 },
    ...(deviceId === undefined ? {} : { deviceId: { exact: deviceId } }),
  };
  try {
    const stream = await mediaDevices().getUserMedia({ audio });
    return stream.getAudioTracks()[0]!;
  } catch (cause) {
    throw cause instanceof RoomError ? cause : refusal("microphone", cause);
  }
}

export interface CameraWish {
  deviceId?: string;
  width?: number;
  height?: number;
  frameRate?: number;
}

/** Rejects with RoomError. */
export async function captureCamera(wish: CameraWish): Promise<MediaStreamTrack> {
  const video: MediaTrackConstraints = {
    width: { ideal: wish.width ?? 640 },
    height: { ideal: wish.height ?? 360 },
    frameRate: { ideal: wish.frameRate ?? 30 },
    ...(wish.deviceId === undefined ? {} : { deviceId: { exact: wish.deviceId } }),
  };
  try {
    const stream = await mediaDevices().getUserMedia({ video });
    return stream.getVideoTracks()[0]!;
  } catch (cause) {
    throw cause instanceof RoomError ? cause : refusal("camera", cause);
  }
}

/** Rejects with RoomError, code "permission-denied" also when the person closed the chooser. */
export async function captureScreen(
  withAudio: boolean,
): Promise<{ video: MediaStreamTrack; audio: MediaStreamTrack | undefined }> {
  try {
    const stream = await mediaDevices().getDisplayMedia({
      video: { frameRate: { ideal: 15, max: 30 }, width: { max: 1920 }, height: { max: 1080 } },
      // The room's own sound must not come back to it.
      audio: withAudio ? { echoCancellation: false, noiseSuppression: false, autoGainControl: false } : false,
    });
    return { video: stream.getVideoTracks()[0]!, audio: stream.getAudioTracks()[0] };
  } catch (cause) {
    throw cause instanceof RoomError ? cause : refusal("screen", cause);
  }
}
