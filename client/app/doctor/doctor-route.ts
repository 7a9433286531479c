/** Where the connection is checked: `/doctor`, with the room and the invitation that it is about. */
import { parseRoute } from "../routing.ts";

/** Room of who comes without one: a name that nobody meets in, since a diagnosis enters no room. */
const NO_ROOM = "connection-check";

export interface DoctorRoute {
  /** Whose relays are looked at. */
  room: string;
  /** Join token of an invitation; empty = as a guest. */
  token: string;
  region: string;
  /** Back to where people join; the start page where no room was named. */
  joinPath: string;
}

/** `region`: empty = none. */
export function doctorPath(room: string, token: string, region = ""): string {
  const query = new URLSearchParams();
  if (room !== "") query.set("room", room);
  if (token !== "") query.set("token", token);
  if (region !== "") query.set("region", region);
  return query.size === 0 ? "/doctor" : `/doctor?${query}`;
}

/** Hostile input: what comes out is a clean room name and bounded texts. */
export function parseDoctorRoute(address: URL): DoctorRoute {
  const as = new URL(`/r/${encodeURIComponent(address.searchParams.get("room") ?? "")}`, address);
  as.search = address.search;
  const { room, token, region } = parseRoute(as);
  const join = new URL(room === "" ? "/" : `/r/${encodeURIComponent(room)}`, address);
  if (token !== "") join.searchParams.set("token", token);
  if (region !== "") join.searchParams.set("region", region);
  return { room: room || NO_ROOM, token, region, joinPath: join.pathname + join.search };
}
