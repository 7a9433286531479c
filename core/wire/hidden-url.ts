/** Addresses of RTMP targets without what lets others send there: for answers, logs and statuses. */
import type { OutputSpec } from "./bridge-jobs.ts";

const HIDDEN = "••••";
/** A shorter piece of an address is no secret, and would be found in ordinary words. */
const MIN_SECRET_CHARS = 6;
/** Scheme, user, host with port, path, query and the like. */
const PARTS = /^([a-z]+:\/\/)(?:[^/?#]*@)?([^/?#@]*)\/?([^?#]*)(.*)$/is;

/** rtmp://host/app/key -> rtmp://host/app/••••. Where there is no application, all of the path is the key. */
export function hiddenUrl(url: string): string {
  const [, scheme, host, path = ""] = PARTS.exec(url) ?? [];
  if (scheme === undefined || host === undefined) return HIDDEN;
  const [app = "", ...key] = path.split("/");
  return key.join("") === "" ? `${scheme}${host}/${HIDDEN}` : `${scheme}${host}/${app}/${HIDDEN}`;
}

/** A sentence in which the targets' addresses and keys are hidden, whatever wrote it. */
export function withoutKeys(sentence: string, spec: OutputSpec): string {
  if (spec.type !== "rtmp" || sentence === "") return sentence;
  const secrets = spec.targets.flatMap(({ url }) => [[url, hiddenUrl(url)] as const, ...secretsOf(url)]);
  // Longest first, so that none hides a part of another only.
  secrets.sort(([one], [other]) => other.length - one.length);
  return secrets.reduce((text, [secret, hidden]) => text.replaceAll(secret, hidden), sentence);
}

function secretsOf(url: string): (readonly [secret: string, hidden: string])[] {
  const [, , , path = "", query = ""] = PARTS.exec(url) ?? [];
  const [app = "", ...rest] = path.split("/");
  const key = rest.length > 0 ? rest.join("/") : app;
  const user = /^[a-z]+:\/\/([^/?#]*)@/i.exec(url)?.[1] ?? "";
  const pieces = [key + query, key, ...rest, query, user, ...user.split(":").slice(1)];
  for (const [, value = ""] of query.matchAll(/=([^&#]+)/g)) pieces.push(value);
  return pieces.filter((piece) => piece.length >= MIN_SECRET_CHARS).map((piece) => [piece, HIDDEN] as const);
}
