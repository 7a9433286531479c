/** Name and device choices that this browser remembers between visits (localStorage; forgotten where that is off). */

export interface Preferences {
  name: string;
  /** Empty: the system's default device. */
  cameraId: string;
  microphoneId: string;
  speakerId: string;
  cameraOn: boolean;
  microphoneOn: boolean;
}

/** The part of Storage that is used. */
export type PreferenceStore = Pick<Storage, "getItem" | "setItem">;

const KEY = "tributary.preferences";
const MAX_TEXT_CHARS = 200;
const DEFAULTS: Preferences = {
  name: "",
  cameraId: "",
  microphoneId: "",
  speakerId: "",
  cameraOn: true,
  microphoneOn: true,
};

/** Never throws: what is missing or damaged reads as its default. */
export function loadPreferences(store: PreferenceStore | undefined): Preferences {
  let saved: unknown;
  try {
    saved = JSON.parse(store?.getItem(KEY) ?? "{}");
  } catch {
    return { ...DEFAULTS };
  }
  if (typeof saved !== "object" || saved === null) return { ...DEFAULTS };
  const values = saved as Record<string, unknown>;
  const text = (key: string) => {
    const value = values[key];
    return typeof value === "string" && value.length <= MAX_TEXT_CHARS ? value : "";
  };
  return {
    name: text("name"),
    cameraId: text("cameraId"),
    microphoneId: text("microphoneId"),
    speakerId: text("speakerId"),
    cameraOn: values.cameraOn !== false,
    microphoneOn: values.microphoneOn !== false,
  };
}

/** False when the browser keeps nothing (storage full or switched off); the app works on without. */
export function savePreferences(store: PreferenceStore | undefined, change: Partial<Preferences>): boolean {
  if (store === undefined) return false;
  try {
    store.setItem(KEY, JSON.stringify({ ...loadPreferences(store), ...change }));
    return true;
  } catch {
    return false;
  }
}

/** The browser's storage, or undefined where even looking at it is forbidden. */
export function browserStore(): PreferenceStore | undefined {
  try {
    return window.localStorage;
  } catch {
    return undefined;
  }
}
