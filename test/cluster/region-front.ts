/** Where a caller of the cluster on one machine is, made up: in the region that the host name begins with. */
import { REGIONS } from "./regions.ts";

const HOST = /^(?:([a-z]+)\.)?localhost$/;

function regionOfHost(hostname: string): string | undefined {
  const region = HOST.exec(hostname)?.[1];
  return REGIONS.find((one) => one === region);
}

/** `localhost/...?region=eu` goes to `eu.localhost/...`, which a page keeps to for all its calls. */
export function frontAnswer(request: Request): Response | undefined {
  const url = new URL(request.url);
  const region = REGIONS.find((one) => one === url.searchParams.get("region"));
  const isPage = !url.pathname.startsWith("/v1/") && url.hostname === "localhost";
  if (region === undefined || request.method !== "GET" || !isPage) return undefined;
  url.hostname = `${region}.localhost`;
  return new Response(null, { status: 302, headers: { location: url.href } });
}

/** The request with the header that gateways look for (docs/gateway.md). */
export function withRegion(request: Request): Request {
  const region = regionOfHost(new URL(request.url).hostname);
  if (region === undefined) return request;
  const headers = new Headers(request.headers);
  headers.set("x-tributary-region", region);
  const { url, method, body } = request;
  return new Request(url, { method, headers, body, duplex: "half" } as RequestInit);
}
