/** The checks of a running diagnosis: what each has come to, told on every change. */
import { CHECK_IDS, type Check, type CheckId, type CheckState } from "./diagnosis-report.ts";

/** What a check has come to; what is left out is empty. */
export type Finding = { state: CheckState } & Partial<Omit<Check, "id" | "state">>;

const nothing = () => ({ code: "", figures: {}, message: "", advice: "", administrator: "" });

export class CheckBoard {
  readonly #checks = new Map<CheckId, Check>();
  readonly #onChange: (id: CheckId) => void;

  /** `onChange` is told which one. */
  constructor(onChange: (id: CheckId) => void) {
    this.#onChange = onChange;
    for (const id of CHECK_IDS) this.#checks.set(id, { id, state: "waiting", ...nothing() });
  }

  get all(): Check[] {
    return [...this.#checks.values()];
  }

  get(id: CheckId): Check {
    return this.#checks.get(id)!;
  }

  stateOf(id: CheckId): CheckState {
    return this.get(id).state;
  }

  set(id: CheckId, finding: Finding): void {
    this.#checks.set(id, { ...nothing(), id, ...finding });
    this.#onChange(id);
  }

  run(...ids: readonly CheckId[]): void {
    for (const id of ids) this.set(id, { state: "running" });
  }

  /** Of these, all that have not ended are not looked at any more. */
  skip(ids: readonly CheckId[], message: string): void {
    for (const id of ids) {
      const state = this.stateOf(id);
      if (state === "waiting" || state === "running") this.set(id, { state: "skipped", message });
    }
  }
}
