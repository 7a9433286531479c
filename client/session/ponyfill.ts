/**
 * The WebSocket ponyfill of @fails-components/webtransport 1.6.8, to be imported when it is needed: a chunk of its own. It has
 * no way to say how much waits in its WebSocket, so its inside is used, and its version pinned. The order of these imports matters.
 */
import "./hide-web-transport.ts";
import * as loaded from "@fails-components/webtransport";
import "./show-web-transport.ts";

interface PonyfillSession {
  readonly objint: {
    readonly ws: WebSocket;
    readonly capsParser: {
      writeCapsule(capsule: { type: number; headerVints: readonly number[]; payload: Uint8Array }): void;
    };
  };
  readonly closed: Promise<unknown>;
  onDatagramReceived: (event: { datagram: Uint8Array }) => void;
  onStream: (event: unknown) => void;
}

export interface Ponyfill {
  readonly sessionint: PonyfillSession;
  readonly ready: Promise<unknown>;
}

interface PonyfillPackage {
  WebTransportPonyfill: new (
    url: string,
    options: { quicConnectTimeout: number; webTransportConnectTimeout: number },
  ) => Ponyfill;
}

export const { WebTransportPonyfill } = loaded as unknown as PonyfillPackage;
