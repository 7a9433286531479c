/** Evaluated right behind the ponyfill's package: what hide-web-transport.ts hid is there again. */
import { hiddenWebTransport } from "./hide-web-transport.ts";

if (hiddenWebTransport !== undefined) Object.defineProperty(globalThis, "WebTransport", hiddenWebTransport);
