/**
 * A cluster on one machine, as `npm run cluster` runs it: etcd, two gateways that share their keys, five relays in three made-up
 * regions with made-up roads between them. Everything on loopback; everything ends with it.
 */
import { EtcdProcess } from "../etcd/etcd-process.ts";
import { type ClusterKeys, makeKeys } from "./cluster-keys.ts";
import type { ClusterOptions } from "./cluster-options.ts";
import { Crossings, originOf, type PortedPlace } from "./crossings.ts";
import { freeTcpPort } from "./free-tcp-port.ts";
import { freeUdpPorts } from "./free-udp-ports.ts";
import { PLACES } from "./regions.ts";
import { RelayProcess } from "./relay-process.ts";
import { RunningProcess } from "./running-process.ts";

const GATEWAYS = 2;
const GATEWAY_READY = /^Gateway is ready: (http:\S+)$/m;

export interface RunningRelayPlace extends PortedPlace {
  process: RelayProcess;
}

export interface RunningGateway {
  url: string;
  process: RunningProcess;
}

export interface RunningBridge {
  id: string;
  url: string;
  process: RunningProcess;
}

export class Cluster {
  readonly etcd: EtcdProcess;
  readonly gateways: RunningGateway[] = [];
  readonly relays: RunningRelayPlace[] = [];
  readonly bridges: RunningBridge[] = [];
  readonly #crossings: Crossings;
  readonly #keys: ClusterKeys;

  private constructor(etcd: EtcdProcess, crossings: Crossings, keys: ClusterKeys) {
    this.etcd = etcd;
    this.#crossings = crossings;
    this.#keys = keys;
  }

  /** `Authorization` of the gateways' API. */
  get authorization(): string {
    return `Bearer ${this.#keys.gateway.TRIBUTARY_API_KEYS}`;
  }

  /** Rejects, with nothing left behind, when any part of it does not start. */
  static async start(options: ClusterOptions, onLine: (line: string) => void): Promise<Cluster> {
    const etcd = await EtcdProcess.start();
    const ports = await freeUdpPorts(PLACES.length);
    const places = PLACES.map((place, index) => ({ ...place, port: ports[index]! }));
    const keys = await makeKeys();
    const cluster = new Cluster(etcd, await Crossings.open(places, options), keys);
    try {
      await Promise.all([
        ...places.map((place) => cluster.#startRelay(place, onLine)),
        ...Array.from({ length: GATEWAYS }, (_, index) =>
          cluster.#startGateway(options.port === 0 ? 0 : options.port + index, onLine),
        ),
      ]);
    } catch (error) {
      await cluster.stop();
      throw error;
    }
    cluster.gateways.sort((a, b) => a.url.localeCompare(b.url));
    cluster.relays.sort((a, b) => a.id.localeCompare(b.id));
    return cluster;
  }

  async #startRelay(place: PortedPlace, onLine: (line: string) => void): Promise<void> {
    const process = this.#runRelay(place, onLine);
    this.relays.push({ ...place, process });
    await process.until(() => process.records.length > 0, "gets ready");
  }

  #runRelay({ id, region, port }: PortedPlace, onLine: (line: string) => void): RelayProcess {
    const settings = {
      RELAY_ID: id,
      RELAY_REGION: region,
      RELAY_PORT: String(port),
      RELAY_PUBLIC_URL: `${originOf(port)}/`,
      RELAY_ROUTES: this.#crossings.routesFrom(region),
      TRIBUTARY_TICKET_JWKS: this.#keys.publicJwk,
      TRIBUTARY_ETCD: this.etcd.url,
    };
    return new RelayProcess(settings, (line) => onLine(`${id}  ${line}`));
  }

  /** Starts relays that have ended again, at their old addresses. */
  async reviveRelays(onLine: (line: string) => void): Promise<void> {
    const ended = this.relays.filter(({ process }) => process.isOver);
    await Promise.all(
      ended.map(async (place) => {
        place.process = this.#runRelay(place, onLine);
        await place.process.until(() => place.process.records.length > 0, "gets ready");
      }),
    );
  }

  async #startGateway(port: number, onLine: (line: string) => void): Promise<void> {
    const settings = { ...this.#keys.gateway, PORT: String(port), TRIBUTARY_ETCD: this.etcd.url };
    const process = new RunningProcess({ program: "test/cluster/gateway.deno.ts", settings, onLine });
    const gateway = { url: "", process };
    this.gateways.push(gateway);
    await process.until(() => GATEWAY_READY.test(process.output), "gets ready");
    gateway.url = GATEWAY_READY.exec(process.output)![1]!;
  }

  /** One more bridge, with `recordings` for its files. Resolves when it takes jobs. */
  async startBridge(id: string, recordings: string): Promise<RunningBridge> {
    const port = await freeTcpPort();
    const url = `http://127.0.0.1:${port}`;
    const settings = {
      BRIDGE_ID: id,
      BRIDGE_HOST: "127.0.0.1",
      BRIDGE_HTTP_PORT: String(port),
      BRIDGE_PUBLIC_URL: url,
      BRIDGE_OPERATIONS_PORT: "0",
      BRIDGE_RECORDINGS: recordings,
      RTMP_PORT: "0",
      ICECAST_PORT: "0",
      TRIBUTARY_GATEWAY_URL: this.gateways[0]!.url,
      TRIBUTARY_API_KEY: this.#keys.gateway.TRIBUTARY_API_KEYS!,
      TRIBUTARY_ETCD: this.etcd.url,
    };
    const process = new RunningProcess({ program: "start/bridge.ts", settings });
    const bridge = { id, url, process };
    this.bridges.push(bridge);
    await process.until(() => process.output.includes("Tributary bridge is ready"), "gets ready");
    return bridge;
  }

  /** Datagrams that went from region to region. */
  get crossed(): number {
    return this.#crossings.forwarded;
  }

  /** Ends everything. The directory last, so that relays can say goodbye to it. */
  async stop(): Promise<void> {
    await Promise.all(
      [...this.bridges, ...this.gateways, ...this.relays].map(({ process }) => process.stop()),
    );
    await this.#crossings.close();
    await this.etcd.stop();
  }
}

/** One ticket key for both gateways, its public half for the relays, and an API key. */
