/** The one kind of error that `npm start` and `npm test` show as a line instead of a stack. */

/** Something that the person at the keyboard can put right; `message` is one line that says how. */
export class StartError extends Error {
  /** @override */
  name = "StartError";
}
