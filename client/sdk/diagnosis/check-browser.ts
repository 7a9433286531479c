/** What the browser itself gives a call: a secure page, codecs in both directions, shared memory. */
import type { CheckBoard, Finding } from "../../../core/participant/diagnosis/check-board.ts";

const SIZE = { width: 640, height: 360 };
/** Level 3.1 and its like: what 640x360 at 30 pictures a second takes. */
const PICTURES: Readonly<Record<string, string>> = {
  h264: "avc1.42E01F",
  vp8: "vp8",
  vp9: "vp09.00.31.08",
  av1: "av01.0.04M.08",
};
const SOUND = { codec: "opus", sampleRate: 48_000, numberOfChannels: 1 };

/** What a codec can: both is what a call wants. */
type Ability = "both" | "encode" | "decode" | "none";

/** Ends the check. Never rejects. */
export function checkSecureContext(board: CheckBoard): void {
  if (globalThis.isSecureContext) {
    board.set("secure-context", { state: "ok", message: "The page was loaded securely." });
    return;
  }
  board.set("secure-context", {
    state: "failed",
    code: "insecure",
    message:
      "This page was not loaded securely, so the browser keeps camera, microphone and WebTransport from it.",
    advice: "Open the same address with https:// (or on localhost).",
    administrator: "Serve the page over HTTPS.",
  });
}

export function checkIsolation(board: CheckBoard): void {
  if (globalThis.crossOriginIsolated) {
    board.set("isolation", { state: "ok", message: "The page may share memory between its threads." });
    return;
  }
  board.set("isolation", {
    state: "warning",
    code: "not-isolated",
    message: "The page may not share memory between its threads: sound works, with slightly more delay.",
    administrator:
      "Serve the page with Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp (docs/sdk.md).",
  });
}

/** Ends the check. Never rejects. */
export async function checkCodecs(board: CheckBoard): Promise<void> {
  board.run("codecs");
  const abilities: Record<string, Ability> = {};
  await Promise.all([
    ...Object.entries(PICTURES).map(async ([name, codec]) => {
      abilities[name] = await ability(
        () => VideoEncoder.isConfigSupported({ codec, ...SIZE, bitrate: 1_000_000, framerate: 30 }),
        () => VideoDecoder.isConfigSupported({ codec, codedWidth: SIZE.width, codedHeight: SIZE.height }),
      );
    }),
    (async () => {
      abilities.opus = await ability(
        () => AudioEncoder.isConfigSupported({ ...SOUND, bitrate: 40_000 }),
        () => AudioDecoder.isConfigSupported(SOUND),
      );
    })(),
  ]);
  board.set("codecs", { figures: abilities, ...codecFinding(abilities) });
}

async function ability(
  encode: () => Promise<{ supported?: boolean }>,
  decode: () => Promise<{ supported?: boolean }>,
): Promise<Ability> {
  const [encodes, decodes] = await Promise.all([isSupported(encode), isSupported(decode)]);
  if (encodes) return decodes ? "both" : "encode";
  return decodes ? "decode" : "none";
}

/** A browser without the class throws, one that does not know the codec may too. */
async function isSupported(ask: () => Promise<{ supported?: boolean }>): Promise<boolean> {
  try {
    return (await ask()).supported === true;
  } catch {
    return false;
  }
}

function codecFinding({ opus, h264 }: Readonly<Record<string, Ability>>): Finding {
  if (opus === "both" && h264 === "both") {
    return { state: "ok", message: "The browser encodes and decodes sound (Opus) and pictures (H.264)." };
  }
  const can = (which: Ability | undefined, what: Ability): boolean => which === "both" || which === what;
  const missing = [
    can(opus, "encode") ? "" : "Others will not hear you: this browser cannot encode sound.",
    can(opus, "decode") ? "" : "This browser does not decode sound itself.",
    can(h264, "encode") ? "" : "Others will not see you: this browser cannot encode H.264.",
    can(h264, "decode") ? "" : "You will not see others: this browser cannot decode H.264.",
  ];
  return {
    state: missing[0] === "" ? "warning" : "failed",
    code: "codec-missing",
    message: missing.filter((sentence) => sentence !== "").join(" "),
    advice: "Use a current Chrome, Edge or Firefox.",
  };
}
