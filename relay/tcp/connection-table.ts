/** The TCP connections of a listener: how many there may be, how long one may be without a session, and which sessions are on which. */
import type { Clock, Timer } from "../../core/clock.ts";
import {
  MAX_TCP_CONNECTIONS,
  MAX_TCP_HALF_OPEN,
  MAX_TCP_SESSIONS_PER_CONNECTION,
  TCP_CONNECT_TIMEOUT_MS,
} from "../../core/wire/limits.ts";
import type { PackageSocket } from "./package-objects.ts";

export interface ConnectionLimits {
  readonly maxConnections: number;
  readonly maxHalfOpen: number;
  readonly maxSessionsPerConnection: number;
  readonly connectTimeoutMs: number;
}

export const CONNECTION_LIMITS: ConnectionLimits = {
  maxConnections: MAX_TCP_CONNECTIONS,
  maxHalfOpen: MAX_TCP_HALF_OPEN,
  maxSessionsPerConnection: MAX_TCP_SESSIONS_PER_CONNECTION,
  connectTimeoutMs: TCP_CONNECT_TIMEOUT_MS,
};

export const CONNECTION_REFUSALS = [
  "too-many-connections",
  "too-many-half-open",
  "no-session-in-time",
] as const;
export type ConnectionRefusal = (typeof CONNECTION_REFUSALS)[number];

interface Connection {
  socket: PackageSocket;
  sessions: number;
  timer: Timer | undefined;
}

export class ConnectionTable {
  readonly #limits: ConnectionLimits;
  readonly #clock: Clock;
  readonly #onRefused: (reason: ConnectionRefusal) => void;
  /** By address and port of the other end, as the package names them. */
  readonly #connections = new Map<string, Connection>();
  #halfOpen = 0;
  #accepted = 0;

  constructor(limits: ConnectionLimits, clock: Clock, onRefused: (reason: ConnectionRefusal) => void) {
    this.#limits = limits;
    this.#clock = clock;
    this.#onRefused = onRefused;
  }

  get size(): number {
    return this.#connections.size;
  }

  get halfOpen(): number {
    return this.#halfOpen;
  }

  /** Since the start. */
  get accepted(): number {
    return this.#accepted;
  }

  /** A connection was accepted by the system; one too many is cut. */
  add(socket: PackageSocket): void {
    // An error of a connection that is over already concerns nobody.
    socket.on("error", () => undefined);
    const refusal = this.#refusal();
    if (refusal !== undefined) {
      this.#onRefused(refusal);
      socket.destroy();
      return;
    }
    // Small messages are not to wait for the answer to those before them.
    socket.setNoDelay(true);
    const key = `${socket.remoteAddress}:${socket.remotePort}`;
    const connection: Connection = { socket, sessions: 0, timer: undefined };
    this.#connections.set(key, connection);
    this.#accepted++;
    this.#watch(connection);
    socket.on("close", () => {
      this.#unwatch(connection);
      if (this.#connections.get(key) === connection) this.#connections.delete(key);
    });
  }

  #refusal(): ConnectionRefusal | undefined {
    if (this.#connections.size >= this.#limits.maxConnections) return "too-many-connections";
    return this.#halfOpen >= this.#limits.maxHalfOpen ? "too-many-half-open" : undefined;
  }

  #watch(connection: Connection): void {
    if (connection.timer !== undefined) return;
    this.#halfOpen++;
    connection.timer = this.#clock.after(this.#limits.connectTimeoutMs, () => {
      this.#unwatch(connection);
      this.#onRefused("no-session-in-time");
      connection.socket.destroy();
    });
  }

  #unwatch(connection: Connection): void {
    if (connection.timer === undefined) return;
    this.#halfOpen--;
    connection.timer.cancel();
    connection.timer = undefined;
  }

  /** A session begins on the connection from there; false = it has too many. */
  addSession(from: string): boolean {
    const connection = this.#connections.get(from);
    if (connection === undefined) return true;
    if (connection.sessions >= this.#limits.maxSessionsPerConnection) return false;
    connection.sessions++;
    this.#unwatch(connection);
    return true;
  }

  endSession(from: string): void {
    const connection = this.#connections.get(from);
    if (connection === undefined) return;
    connection.sessions--;
    if (connection.sessions === 0) this.#watch(connection);
  }

  cutAll(): void {
    for (const { socket } of this.#connections.values()) socket.destroy();
  }
}
