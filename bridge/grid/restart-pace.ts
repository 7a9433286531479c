/** When something that failed is started again: after a pause that grows while it goes on failing. */
import { MAX_RESTART_US, PROVEN_US, RESTART_US } from "./limits.ts";

export class RestartPace {
  #failures = 0;
  #startedUs = Number.NEGATIVE_INFINITY;
  #notBeforeUs = Number.NEGATIVE_INFINITY;

  mayStart(nowUs: number): boolean {
    return nowUs >= this.#notBeforeUs;
  }

  started(nowUs: number): void {
    this.#startedUs = nowUs;
  }

  failed(nowUs: number): void {
    this.#failures = nowUs - this.#startedUs > PROVEN_US ? 1 : this.#failures + 1;
    this.#notBeforeUs = nowUs + Math.min(MAX_RESTART_US, RESTART_US * 2 ** (this.#failures - 1));
  }
}
