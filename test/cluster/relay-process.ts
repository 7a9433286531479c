/** A relay, or several under a supervisor, as an operator starts it: on loopback, with free ports unless told otherwise. */
import type { RelayRecord } from "../../core/directory/directory.ts";
import { RunningProcess } from "./running-process.ts";

const READY_LINE = /^Tributary relay is ready: \S+ (\{.*\})$/gm;

export class RelayProcess extends RunningProcess {
  #record: RelayRecord | undefined;

  constructor(
    settings: Readonly<Record<string, string>>,
    onLine?: (line: string) => void,
    runtime: "deno" | "node" = "deno",
  ) {
    const ports = {
      RELAY_HOST: "127.0.0.1",
      RELAY_PORT: "0",
      RELAY_TCP_PORT: "0",
      RELAY_OPERATIONS_PORT: "0",
    };
    super({
      program: `relay/${runtime}/main.ts`,
      runtime,
      settings: { ...ports, RELAY_SUPERVISED: "1", ...settings },
      onLine,
    });
  }

  /** Resolves when it takes sessions. Rejects with what it said when it does not come to that. */
  static async start(
    settings: Readonly<Record<string, string>>,
    onLine?: (line: string) => void,
    runtime: "deno" | "node" = "deno",
  ): Promise<RelayProcess> {
    const relay = new RelayProcess(settings, onLine, runtime);
    await relay.until(() => relay.records.length > 0, "gets ready");
    return relay;
  }

  /** How the relay, or each relay of a supervisor, described itself when it was ready. */
  get records(): RelayRecord[] {
    return [...this.output.matchAll(READY_LINE)].map(([, json]) => JSON.parse(json!) as RelayRecord);
  }

  get record(): RelayRecord {
    this.#record ??= this.records[0]!;
    return this.#record;
  }
}
