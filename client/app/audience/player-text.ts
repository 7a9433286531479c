/** Figures of a stream as people read them: times, sizes, latency, quality. */

/** "0:07", "12:30", "1:02:03". Whole seconds, cut. */
export function clockText(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) return "0:00";
  const whole = Math.floor(seconds);
  const two = (value: number) => String(value).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/** The same for screen readers: "1 hour 2 minutes 3 seconds". */
export function spokenTime(seconds: number): string {
  const whole = Math.max(0, Math.floor(Number.isFinite(seconds) ? seconds : 0));
  const parts: [number, string][] = [
    [Math.floor(whole / 3600), "hour"],
    [Math.floor(whole / 60) % 60, "minute"],
    [whole % 60, "second"],
  ];
  const said = parts
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}${count === 1 ? "" : "s"}`);
  return said.length === 0 ? "0 seconds" : said.join(" ");
}

/** "1.9 s", "45 s", "3 min": what one is behind. */
export function latencyText(latencyMs: number): string {
  const seconds = latencyMs / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}

/** "840 kB", "1.2 GB": decimal units, as download lists show them. */
export function sizeText(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit > 0 && value < 9.95 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

export interface Quality {
  /** 0 where there is no picture. */
  width: number;
  height: number;
  /** 0 = not known. */
  framesPerSecond: number;
  bitrateBps: number;
}

/** "1280 × 720 · 30 fps · 1.2 Mb/s"; leaves out what is not known. Breaks between figures only. */
export function qualityText(quality: Quality): string {
  const parts: string[] = [];
  if (quality.width > 0) parts.push(`${quality.width}\u00A0×\u00A0${quality.height}`);
  else parts.push("Sound\u00A0only");
  if (quality.width > 0 && quality.framesPerSecond > 0)
    parts.push(`${Math.round(quality.framesPerSecond)}\u00A0fps`);
  if (quality.bitrateBps >= 999_500) parts.push(`${(quality.bitrateBps / 1e6).toFixed(1)}\u00A0Mb/s`);
  else if (quality.bitrateBps > 0) parts.push(`${Math.round(quality.bitrateBps / 1000)}\u00A0kb/s`);
  return parts.join(" · ");
}
