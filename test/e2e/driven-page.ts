/** What the tests of calls need of a page, whoever drives the browser: the part of Playwright's Page that Firefox has here too. */
export interface DrivenPage {
  goto(url: string): Promise<unknown>;
  evaluate<Result>(script: () => Result | Promise<Result>): Promise<Result>;
  evaluate<Result, Arg>(script: (arg: Arg) => Result | Promise<Result>, arg: Arg): Promise<Result>;
  /** Resolves when `condition` is true in the page. Rejects after `timeout` milliseconds. */
  waitForFunction<Arg>(
    condition: (arg: Arg) => unknown,
    arg: Arg,
    options?: { timeout?: number; polling?: number },
  ): Promise<unknown>;
  waitForTimeout(ms: number): Promise<void>;
  close(): Promise<void>;
}
