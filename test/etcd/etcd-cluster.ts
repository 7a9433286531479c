/** Directories over one etcd for tests: each with a connection that can be cut, all under a prefix of their own. */
import type { Clock } from "../../core/clock.ts";
import type { BridgeDirectory } from "../../core/directory/bridge-directory.ts";
import type { BridgeDirectoryHarness } from "../../core/directory/bridge-directory-harness.contract.ts";
import type { Directory } from "../../core/directory/directory.ts";
import type { DirectoryHarness } from "../../core/directory/directory-harness.contract.ts";
import { EtcdDirectory, type EtcdDirectoryOptions } from "../../core/directory/etcd/etcd-directory.ts";
import { httpPost } from "../../core/directory/etcd/http-post.ts";

export const realClock: Clock = {
  nowUs: () => (performance.timeOrigin + performance.now()) * 1000,
  after: (delayMs, task) => {
    const timer = setTimeout(task, delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
};

export function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}

let prefixes = 0;

/** Never given before in this process. */
export function newPrefix(): string {
  prefixes += 1;
  return `test-${prefixes}/`;
}

interface OpenOptions {
  prefix?: string;
  user?: { name: string; password: string };
  timing?: Pick<EtcdDirectoryOptions, "watchIdleMs" | "maxViewAgeMs">;
}

/** A directory as a relay or gateway has it, with what it logs and a switch for its connection. */
export class TestDirectory {
  readonly directory: EtcdDirectory;
  readonly log: string[] = [];
  isCut = false;
  /** The answer to this call from now on is lost on its way back, though etcd does what was asked; 0: none is. */
  loseAnswer = 0;
  readonly #open = new Set<AbortController>();

  constructor(endpoints: string[], { prefix = newPrefix(), user, timing }: OpenOptions = {}) {
    this.directory = new EtcdDirectory({
      settings: { endpoints, user, prefix },
      post: httpPost(
        async (url, init) => {
          if (this.isCut) throw new Error("the connection is cut");
          const answer = await fetch(url, init);
          if (this.loseAnswer > 0 && --this.loseAnswer === 0) throw new Error("the answer is lost");
          return answer;
        },
        () => {
          const abort = new AbortController();
          this.#open.add(abort);
          return abort;
        },
      ),
      clock: realClock,
      random: Math.random,
      log: (line) => this.log.push(line),
      ...timing,
    });
  }

  /** From now on nothing gets through, running calls included. */
  cut(): void {
    this.isCut = true;
    for (const abort of this.#open) abort.abort();
    this.#open.clear();
  }
}

/** One directory for reads and watches, and one for each registration, as relays are apart from one another. */
export function openHarness(url: string): DirectoryHarness {
  const prefix = newPrefix();
  const own = new TestDirectory([url], { prefix });
  const ofRelays: { id: string; test: TestDirectory }[] = [];
  const directory: Directory = {
    register: (relay, ttlMs) => {
      const test = new TestDirectory([url], { prefix });
      ofRelays.push({ id: relay.id, test });
      return test.directory.register(relay, ttlMs);
    },
    relays: () => own.directory.relays(),
    rooms: () => own.directory.rooms(),
    room: (room) => own.directory.room(room),
    ban: (ban) => own.directory.ban(ban),
    isBanned: (room, token) => own.directory.isBanned(room, token),
    watch: (listener) => own.directory.watch(listener),
    close: async () => {
      await Promise.all([own, ...ofRelays.map(({ test }) => test)].map((test) => test.directory.close()));
    },
  };
  const connectionsOf = (relayId: string) =>
    ofRelays.filter(({ id }) => id === relayId).map(({ test }) => test);
  return {
    directory,
    nowSeconds: () => realClock.nowUs() / 1e6,
    pass: pause,
    cutOff: async (relayId) => {
      for (const test of connectionsOf(relayId)) test.cut();
    },
    reconnect: async (relayId) => {
      for (const test of connectionsOf(relayId)) test.isCut = false;
    },
  };
}

/** The same for bridges. */
export function openBridgeHarness(url: string): BridgeDirectoryHarness & { close(): Promise<void> } {
  const prefix = newPrefix();
  const own = new TestDirectory([url], { prefix });
  const ofBridges: { id: string; test: TestDirectory }[] = [];
  const { bridges } = own.directory;
  const directory: BridgeDirectory = {
    registerBridge: (bridge, ttlMs) => {
      const test = new TestDirectory([url], { prefix });
      ofBridges.push({ id: bridge.id, test });
      return test.directory.bridges.registerBridge(bridge, ttlMs);
    },
    bridges: () => bridges.bridges(),
    putJob: (job) => bridges.putJob(job),
    deleteJob: (jobId) => bridges.deleteJob(jobId),
    job: (jobId) => bridges.job(jobId),
    jobs: () => bridges.jobs(),
    watchJobs: (listener) => bridges.watchJobs(listener),
  };
  const connectionsOf = (bridgeId: string) =>
    ofBridges.filter(({ id }) => id === bridgeId).map(({ test }) => test);
  return {
    directory,
    pass: pause,
    cutOff: async (bridgeId) => {
      for (const test of connectionsOf(bridgeId)) test.cut();
    },
    reconnect: async (bridgeId) => {
      for (const test of connectionsOf(bridgeId)) test.isCut = false;
    },
    close: async () => {
      await Promise.all([own, ...ofBridges.map(({ test }) => test)].map((test) => test.directory.close()));
    },
  };
}
