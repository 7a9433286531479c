/** The made-up world of `npm run cluster`: regions, the relays in them, and how far apart they are. */

export const REGIONS = ["eu", "us", "ap"] as const;
export type Region = (typeof REGIONS)[number];

export interface Place {
  id: string;
  region: Region;
}

export const PLACES: readonly Place[] = [
  { id: "eu-1", region: "eu" },
  { id: "eu-2", region: "eu" },
  { id: "us-1", region: "us" },
  { id: "us-2", region: "us" },
  { id: "ap-1", region: "ap" },
];

/** Round trips of the real internet, roughly: Frankfurt, Virginia, Singapore. */
const ROUND_TRIPS_MS: Readonly<Record<string, number>> = { "eu us": 90, "ap us": 220, "ap eu": 160 };

export function roundTripMs(a: Region, b: Region): number {
  return ROUND_TRIPS_MS[[a, b].sort().join(" ")] ?? 0;
}
