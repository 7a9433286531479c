/**
 * The API key or join token with which this tab asks the gateway, where it wants one. Kept in sessionStorage only: it is gone
 * with the tab, and a tab that is opened from this one starts with a copy.
 */

/** The part of Storage that is used. */
export type CredentialStore = Pick<Storage, "getItem" | "setItem" | "removeItem">;

const KEY = "tributary.credential";
const MAX_CHARS = 4096;

/** Empty where nothing is kept. */
export function loadCredential(store: CredentialStore | undefined): string {
  const kept = store?.getItem(KEY) ?? "";
  return kept.length <= MAX_CHARS ? kept : "";
}

/** Empty forgets it. Storage that is full or switched off keeps nothing, and the page asks again after a reload. */
export function keepCredential(store: CredentialStore | undefined, credential: string): void {
  try {
    if (credential === "") store?.removeItem(KEY);
    else store?.setItem(KEY, credential.slice(0, MAX_CHARS));
  } catch (error) {
    console.warn("the browser keeps no key:", error);
  }
}

/** What somebody pasted: without the spaces, quotes and the word Bearer that come along when copying. */
export function credentialFrom(text: string): string {
  return text
    .replace(/^\s*authorization\s*:/i, "")
    .replace(/^\s*bearer\s+/i, "")
    .replace(/[\s"']/g, "")
    .slice(0, MAX_CHARS);
}

/** This tab's storage, or undefined where even looking at it is forbidden. */
export function tabStore(): CredentialStore | undefined {
  try {
    return window.sessionStorage;
  } catch {
    return undefined;
  }
}
