/** What the file system says, as StorageError: the only place that knows its codes. */
import { StorageError } from "../storage/storage.ts";

const HELP: Record<string, string> = {
  ENOSPC: "The disk is full: free some space, or let recordings be kept for a shorter time.",
  EDQUOT: "The disk quota is used up: raise it, or let recordings be kept for a shorter time.",
  EACCES: "The folder may not be written or read: give this process's user the right to.",
  EPERM: "The folder may not be written or read: give this process's user the right to.",
  EROFS: "The disk is mounted read-only: mount it for writing.",
  EMFILE: "Too many files are open: raise the limit of open files.",
  ENFILE: "Too many files are open on this machine: raise the limit of open files.",
  ENOTDIR: "A folder is wanted where an object is: choose another key.",
  EEXIST: "A folder is wanted where an object is: choose another key.",
  EISDIR: "An object is wanted where a folder is: choose another key.",
  ELOOP: "A symbolic link lies where an object should be: remove it.",
};
/** Waiting does not mend these. */
const LASTING = new Set(["EACCES", "EPERM", "EROFS", "ENOTDIR", "EEXIST", "EISDIR", "ELOOP", "ENAMETOOLONG"]);

export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

/** `doing`: as in "could not write a/b". */
export function fileError(doing: string, cause: unknown): StorageError {
  if (cause instanceof StorageError) return cause;
  const code = codeOf(cause);
  const help = HELP[code] ?? `The file system says ${code === "" ? String(cause) : code}.`;
  return new StorageError(`Could not ${doing}. ${help}`, !LASTING.has(code), { cause });
}
