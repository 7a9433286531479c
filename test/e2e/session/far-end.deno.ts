/** The far end on Deno: WebTransport by relay/deno, and TCP. */
import { DenoSession, SESSION_LIMITS } from "../../../relay/deno/session.ts";
import { serveWebTransport } from "../../../relay/deno/webtransport/mod.ts";
import { certificate, FAR_PATH, keep, serveFarEnd } from "./far-end.ts";

const transport = serveWebTransport({
  hostname: "127.0.0.1",
  cert: certificate.certPem,
  key: certificate.keyPem,
  limits: SESSION_LIMITS,
  onSession: (opened) => keep(new DenoSession(opened)),
});
await serveFarEnd(transport.url("127.0.0.1", FAR_PATH));
