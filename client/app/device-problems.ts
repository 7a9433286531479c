/** What a failed getUserMedia means for a person, and what to do about it. */

export type DeviceKind = "camera" | "microphone";

const ADVICE: Readonly<Record<string, (device: DeviceKind) => string>> = {
  NotAllowedError: (device) =>
    `The ${device} is blocked. Allow it with the icon in the address bar or in the system’s settings, then try again.`,
  NotFoundError: (device) => `No ${device} was found. Plug one in and try again, or join without it.`,
  OverconstrainedError: (device) => `The chosen ${device} is no longer there. Pick another one.`,
  NotReadableError: (device) => `Another program is using the ${device}. Close it there, then try again.`,
  AbortError: (device) => `The ${device} stopped answering. Unplug it and plug it in again, then try again.`,
  SecurityError: (device) => `This page may not use the ${device}: its settings forbid it.`,
};

/** One sentence or two for `error`, which getUserMedia threw. */
export function deviceProblem(device: DeviceKind, error: unknown): string {
  const name = error instanceof Error ? error.name : "";
  const advice = Object.hasOwn(ADVICE, name) ? ADVICE[name] : undefined;
  if (advice !== undefined) return advice(device);
  return `The ${device} could not be started. Pick another one, or join without it.`;
}

/** Shown where the browser hides devices from a page that was not loaded securely. */
export const INSECURE_PAGE =
  "Camera and microphone need a secure page: open this address with https:// (or on localhost).";
