/**
 * Evaluated right before the ponyfill's package, which dials a made-up host when it finds a WebTransport. Nothing else runs
 * in between (client/session/ponyfill.ts).
 */
export const hiddenWebTransport = Object.getOwnPropertyDescriptor(globalThis, "WebTransport");

if (hiddenWebTransport?.configurable === true) Reflect.deleteProperty(globalThis, "WebTransport");
