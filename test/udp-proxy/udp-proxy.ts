/**
 * A UDP proxy with a bad network inside: stands before a relay, keeps one upstream socket for each client address, and
 * treats each direction as its options say. It can also change the address that clients come from, or be a network that is gone. Works with anything that speaks UDP.
 */
import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { seededRandom } from "../sim/seeded-random.ts";
import { type Fate, Impairment, type ImpairmentOptions, NO_IMPAIRMENT } from "./impairment.ts";

export interface UdpProxyOptions {
  /** UDP port on 127.0.0.1 to listen on, 0 = any free one. */
  port: number;
  /** Where datagrams of clients go. */
  targetPort: number;
  targetAddress?: string;
  /** Client to target. */
  up?: Partial<ImpairmentOptions>;
  /** Target to client. */
  down?: Partial<ImpairmentOptions>;
  seed?: number;
}

/** Datagrams of one direction, by what became of them. */
export interface DirectionCounters {
  forwarded: number;
  random: number;
  burst: number;
  "queue-full": number;
}

/** Client addresses remembered at once; datagrams of further ones are dropped. */
const MAX_CLIENTS = 10_000;
const SOCKET_BUFFER_BYTES = 4 * 1024 * 1024;

interface Waiting {
  arrivesMs: number;
  deliver: () => void;
}

export class UdpProxy {
  readonly #front: Socket;
  /** By client address. */
  readonly #upstream = new Map<string, Socket>();
  /** Clients of which nothing passes any more, the first to be cut off first. */
  readonly #cutOff = new Set<string>();
  readonly #options: Required<Pick<UdpProxyOptions, "targetPort" | "targetAddress">>;
  readonly #up: Direction;
  readonly #down: Direction;
  #closed = false;

  private constructor(options: UdpProxyOptions) {
    const seed = options.seed ?? 1;
    this.#options = { targetPort: options.targetPort, targetAddress: options.targetAddress ?? "127.0.0.1" };
    this.#up = new Direction(new Impairment({ ...NO_IMPAIRMENT, ...options.up }, seededRandom(seed)));
    this.#down = new Direction(new Impairment({ ...NO_IMPAIRMENT, ...options.down }, seededRandom(seed + 1)));
    this.#front = createSocket({
      type: "udp4",
      recvBufferSize: SOCKET_BUFFER_BYTES,
      sendBufferSize: SOCKET_BUFFER_BYTES,
    });
    this.#front.on("message", (datagram, from) => this.#fromClient(datagram, from));
  }

  /** Rejects with the system's error when the port is taken. */
  static async listen(options: UdpProxyOptions): Promise<UdpProxy> {
    const proxy = new UdpProxy(options);
    proxy.#front.bind(options.port, "127.0.0.1");
    await once(proxy.#front, "listening");
    return proxy;
  }

  /** Where clients send to. */
  get port(): number {
    return (this.#front.address() as AddressInfo).port;
  }

  get counters(): { up: DirectionCounters; down: DirectionCounters } {
    return { up: { ...this.#up.counters }, down: { ...this.#down.counters } };
  }

  /** How long a datagram of now would wait for that direction's bottleneck. */
  queuedMs(direction: "up" | "down"): number {
    return (direction === "up" ? this.#up : this.#down).impairment.queuedMs(performance.now());
  }

  /** Changes a direction from now on; the rest of its options stays. */
  change(direction: "up" | "down", options: Partial<ImpairmentOptions>): void {
    Object.assign((direction === "up" ? this.#up : this.#down).impairment.options, options);
  }

  /**
   * The target sees every client known so far come from another address from now on, and what it sends to the old one is lost: what a
   * NAT does that has forgotten a binding, or another network behind the same socket. Clients notice nothing but losses.
   */
  rebind(): void {
    for (const [client, socket] of this.#upstream) {
      socket.close();
      this.#upstream.set(client, this.#openUpstream(client));
    }
  }

  /**
   * From now on nothing passes of the clients known so far, in either direction: the network that their sockets belong to is gone.
   * New ones are served.
   */
  cut(): void {
    for (const [client, socket] of this.#upstream) {
      socket.close();
      this.#cutOff.add(client);
    }
    this.#upstream.clear();
    for (const oldest of this.#cutOff) {
      if (this.#cutOff.size <= MAX_CLIENTS) break;
      this.#cutOff.delete(oldest);
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#up.clear();
    this.#down.clear();
    const sockets = [...this.#upstream.values(), this.#front];
    this.#upstream.clear();
    const closing = sockets.map((socket) => {
      const closed = once(socket, "close");
      socket.close();
      return closed;
    });
    await Promise.all(closing);
  }

  #fromClient(datagram: Buffer, { address, port }: RemoteInfo): void {
    const client = `${address}:${port}`;
    if (this.#cutOff.has(client) || !this.#isKnown(client)) return;
    const { targetPort, targetAddress } = this.#options;
    this.#up.take(datagram.length, () => {
      // By the socket that it has when the datagram has come so far; none after a cut.
      this.#upstream.get(client)?.send(datagram, targetPort, targetAddress, ignoreUnreachable);
    });
  }

  #isKnown(client: string): boolean {
    if (this.#upstream.has(client)) return true;
    if (this.#upstream.size >= MAX_CLIENTS) return false;
    this.#upstream.set(client, this.#openUpstream(client));
    return true;
  }

  #openUpstream(client: string): Socket {
    const [address, port] = client.split(":") as [string, string];
    const socket = createSocket({
      type: "udp4",
      recvBufferSize: SOCKET_BUFFER_BYTES,
      sendBufferSize: SOCKET_BUFFER_BYTES,
    });
    socket.on("message", (datagram) => {
      this.#down.take(datagram.length, () => {
        if (this.#upstream.has(client) && !this.#closed)
          this.#front.send(datagram, Number(port), address, ignoreUnreachable);
      });
    });
    // Says that nobody listens at the target; the same goes for a real network, which is silent about it.
    socket.on("error", () => undefined);
    return socket;
  }
}

/** One direction: the model, and the datagrams that are on their way through it. */
class Direction {
  readonly impairment: Impairment;
  readonly counters: DirectionCounters = { forwarded: 0, random: 0, burst: 0, "queue-full": 0 };
  /** Sorted by arrival. */
  #waiting: Waiting[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(impairment: Impairment) {
    this.impairment = impairment;
  }

  take(bytes: number, deliver: () => void): void {
    const nowMs = performance.now();
    const fate: Fate = this.impairment.decide(bytes, nowMs);
    if ("lost" in fate) {
      this.counters[fate.lost]++;
      return;
    }
    this.counters.forwarded++;
    if (fate.arrivesMs <= nowMs && this.#waiting.length === 0) {
      deliver();
      return;
    }
    let at = this.#waiting.length;
    while (at > 0 && (this.#waiting[at - 1] as Waiting).arrivesMs > fate.arrivesMs) at--;
    this.#waiting.splice(at, 0, { arrivesMs: fate.arrivesMs, deliver });
    if (at === 0) this.#schedule(nowMs);
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#waiting = [];
  }

  #schedule(nowMs: number): void {
    clearTimeout(this.#timer);
    const next = this.#waiting[0];
    if (next === undefined) return;
    this.#timer = setTimeout(() => this.#deliverDue(), Math.max(0, next.arrivesMs - nowMs));
  }

  #deliverDue(): void {
    const nowMs = performance.now();
    const stillWaiting = this.#waiting.findIndex((one) => one.arrivesMs > nowMs);
    const due = this.#waiting.splice(0, stillWaiting === -1 ? this.#waiting.length : stillWaiting);
    for (const { deliver } of due) deliver();
    this.#schedule(nowMs);
  }
}

function ignoreUnreachable(): void {
  // A datagram that could not be sent is a datagram lost, as everywhere.
}
