/** Installs the programs that the tests of bridges talk to: ffmpeg, GStreamer, rtmpdump, curl, nginx with its RTMP module. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { StartError } from "../start/start-error.mjs";
import { aptInstall } from "./apt-install.mjs";

/** What must be there, and the Debian package that brings it. */
const TOOLS = [
  ["/usr/bin/curl", "curl"],
  ["/usr/bin/ffmpeg", "ffmpeg"],
  ["/usr/bin/rtmpdump", "rtmpdump"],
  ["/usr/sbin/nginx", "nginx-light"],
  ["/usr/lib/nginx/modules/ngx_rtmp_module.so", "libnginx-mod-rtmp"],
  ["/usr/bin/gst-launch-1.0", "gstreamer1.0-tools"],
  ["libgstvideotestsrc.so", "gstreamer1.0-plugins-base"],
  ["libgstflv.so", "gstreamer1.0-plugins-good"],
  ["libgstshout2.so", "gstreamer1.0-plugins-good"],
  ["libgstrtmp2.so", "gstreamer1.0-plugins-bad"],
  ["libgstx264.so", "gstreamer1.0-plugins-ugly"],
  ["libgstlibav.so", "gstreamer1.0-libav"],
];

/**
 * @param {(line: string) => void} print
 * @returns {Promise<void>}
 * @throws {StartError} that says what to install
 */
export async function ensureBridgeTools(print) {
  const missing = new Set(TOOLS.filter(([path = ""]) => !isThere(path)).map(([, pkg]) => pkg));
  if (missing.size === 0) return;
  const packages = [...missing].join(" ");
  if (!(await aptInstall(packages, print)))
    throw new StartError(`Programs that bridges are tested with are missing: apt-get install ${packages}`);
  // The package may start an nginx of the system, which nobody here asked for. Where there is no systemd, none runs.
  spawnSync("systemctl", ["disable", "--now", "nginx"]);
}

/** @param {string} path */
function isThere(path) {
  if (path.startsWith("/")) return existsSync(path);
  return ["x86_64", "aarch64"].some((arch) => existsSync(`/usr/lib/${arch}-linux-gnu/gstreamer-1.0/${path}`));
}
