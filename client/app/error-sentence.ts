/** What to show a person of anything that was thrown: its message as a sentence, capital and full stop included. */
export function sentenceOf(error: unknown): string {
  const message = error instanceof Error ? error.message.trim() : "";
  if (message === "") return "Something went wrong. Try again.";
  const whole = message.charAt(0).toLocaleUpperCase() + message.slice(1);
  return /[.!?…]$/u.test(whole) ? whole : `${whole}.`;
}
