/** A relay as an init system restarts it: the old process is asked to end and waited for, the new one has its addresses. */
import { RelayProcess } from "./relay-process.ts";
import type { Ending } from "./running-process.ts";

export class RestartableRelay {
  readonly id: string;
  /** From the first to the one that runs. */
  readonly processes: RelayProcess[];
  /** How each process but the last has ended. */
  readonly endings: Ending[] = [];
  readonly #settings: Readonly<Record<string, string>>;

  private constructor(id: string, first: RelayProcess, settings: Readonly<Record<string, string>>) {
    this.id = id;
    this.processes = [first];
    this.#settings = settings;
  }

  /** On free ports, which it keeps. Resolves when it takes sessions. */
  static async start(id: string, others: Readonly<Record<string, string>>): Promise<RestartableRelay> {
    const settings = { ...others, RELAY_ID: id };
    const first = await RelayProcess.start(settings);
    const { url, fallbackUrl, operationsUrl } = first.record;
    const ports = {
      RELAY_PORT: new URL(url).port,
      RELAY_TCP_PORT: new URL(fallbackUrl).port,
      RELAY_OPERATIONS_PORT: new URL(operationsUrl).port,
    };
    return new RestartableRelay(id, first, { ...settings, ...ports });
  }

  get process(): RelayProcess {
    return this.processes.at(-1)!;
  }

  /** Where it is asked whether it is ready: the same after a restart. */
  get operationsUrl(): string {
    return this.processes[0]!.record.operationsUrl;
  }

  /** Resolves when the new process has been started; whether it gets ready is another question. */
  async restart(): Promise<void> {
    const old = this.process;
    old.kill("SIGTERM");
    this.endings.push(await old.ended);
    this.processes.push(new RelayProcess(this.#settings));
  }
}
