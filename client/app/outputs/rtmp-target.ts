/** An RTMP target as people know it (a server and a stream key), and as the API takes it (one URL). */

export interface TargetPreset {
  name: string;
  /** Empty: to be typed. */
  server: string;
  /** Where the key is found. */
  keyHelp: string;
}

export const TARGET_PRESETS: readonly TargetPreset[] = [
  {
    name: "YouTube",
    server: "rtmps://a.rtmps.youtube.com/live2",
    keyHelp: "In YouTube Studio under Create, Go live, Stream.",
  },
  {
    name: "Twitch",
    server: "rtmps://ingest.global-contribute.live-video.net/app",
    keyHelp: "In the Twitch dashboard under Settings, Stream.",
  },
  { name: "Custom", server: "", keyHelp: "The service that takes the stream shows it." },
];

/** The URL of a target, or a sentence that says what to correct. */
export function targetUrl(server: string, key: string): { url: string } | { problem: string } {
  const base = server.trim().replace(/\/+$/, "");
  const secret = key.trim();
  if (!URL.canParse(base) || !/^rtmps?:\/\/[^/]/i.test(base)) {
    return { problem: "Enter the server as rtmp://host/app or rtmps://host/app." };
  }
  if (/\s/.test(base + secret)) return { problem: "Server and stream key hold no spaces: paste them again." };
  if (/^\w+:\/\/[^/]+$/.test(base)) {
    return { problem: "The server's address lacks the application, as in rtmp://host/live." };
  }
  return { url: secret === "" ? base : `${base}/${secret.replace(/^\/+/, "")}` };
}

/** Host and application of a target's URL, for showing: never the key. */
export function targetPlace(url: string): string {
  if (!URL.canParse(url)) return "";
  const { host, pathname } = new URL(url);
  const application = pathname.split("/")[1] ?? "";
  // The gateway hides keys with marks that no application is called by.
  return application === "" || application.includes("%") ? host : `${host}/${application}`;
}
