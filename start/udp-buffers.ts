/** Says once when this machine's limits on UDP buffers are too small for a busy relay (docs/operating.md). */

/** Room for a quarter of a second of 100 Mb/s. */
const ENOUGH_BYTES = 3_000_000;
/** Deno asks for no size of its own, so its sockets get the default ones. */
const LIMITS = ["net.core.rmem_default", "net.core.wmem_default"];

/** Linux only: elsewhere the limits are high enough or not to be read. */
export async function warnOfSmallBuffers(): Promise<void> {
  const small: string[] = [];
  for (const name of LIMITS) {
    try {
      const bytes = Number(await Deno.readTextFile(`/proc/sys/${name.replaceAll(".", "/")}`));
      if (bytes < ENOUGH_BYTES) small.push(`${name}=${ENOUGH_BYTES}`);
    } catch {
      return; // Not Linux, or not for us to see.
    }
  }
  if (small.length > 0) {
    console.warn(`UDP buffers are small; for large rooms run as root: sysctl -w ${small.join(" ")}`);
  }
}
