/**
 * What `npm start` makes up once and keeps between starts, in a folder that only its owner may read: the API key, the
 * ticket key, the relay's certificate.
 */
import { StartError } from "./start-error.mjs";

export class KeptState {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Makes the folder when it is missing. Rejects with StartError when it cannot be. */
  static async open(folder: string): Promise<KeptState> {
    try {
      await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
    } catch (cause) {
      throw new StartError(
        `Cannot keep keys in ${folder}: make it writable, or name another folder in TRIBUTARY_STATE.`,
        {
          cause,
        },
      );
    }
    return new KeptState(folder);
  }

  /** Text kept under `name`, or undefined. Rejects with StartError when it is there and cannot be read. */
  async read(name: string): Promise<string | undefined> {
    const path = `${this.#folder}/${name}`;
    try {
      return await Deno.readTextFile(path);
    } catch (cause) {
      if (cause instanceof Deno.errors.NotFound) return undefined;
      throw new StartError(`Cannot read ${path}: remove it, and a new one is made.`, { cause });
    }
  }

  /** Replaces in one step, so that a crash leaves the old or the new text and never half of one. */
  async write(name: string, text: string): Promise<void> {
    const path = `${this.#folder}/${name}`;
    const draft = `${path}.${Deno.pid}`;
    await Deno.writeTextFile(draft, text, { mode: 0o600 });
    await Deno.rename(draft, path);
  }

  /** The kept text, made by `make` and kept when there is none. */
  async readOrMake(name: string, make: () => Promise<string>): Promise<string> {
    const kept = await this.read(name);
    if (kept !== undefined) return kept;
    const made = await make();
    await this.write(name, made);
    return made;
  }
}
