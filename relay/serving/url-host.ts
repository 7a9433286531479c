/** The address of a port as the host of a URL. */

/** Where somebody on this machine reaches what is bound there. */
export function hostInUrl(host: string): string {
  if (host === "0.0.0.0" || host === "::" || host === "localhost") return "127.0.0.1";
  return host.includes(":") ? `[${host}]` : host;
}
