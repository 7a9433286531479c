/** What to show a person of anything that was thrown; the SDK's errors are sentences already. */
export function sentenceOf(error: unknown): string {
  return error instanceof Error && error.message !== "" ? error.message : "Something went wrong. Try again.";
}
