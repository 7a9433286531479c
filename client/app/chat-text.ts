/** Splits a chat message into plain text and web links, so that links can be shown as links without any HTML. */

export interface ChatPart {
  text: string;
  /** http(s) only. */
  href: string | undefined;
}

export function chatParts(text: string): ChatPart[] {
  const parts: ChatPart[] = [];
  let end = 0;
  for (const match of text.matchAll(/https?:\/\/[^\s<>"']+/giu)) {
    const candidate = match[0].replace(/[.,;:!?)\]}]+$/u, "");
    const href = webAddress(candidate);
    if (href === undefined) continue;
    if (match.index > end) parts.push({ text: text.slice(end, match.index), href: undefined });
    parts.push({ text: candidate, href });
    end = match.index + candidate.length;
  }
  if (end < text.length) parts.push({ text: text.slice(end), href: undefined });
  return parts;
}

function webAddress(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const address = new URL(text);
  return address.protocol === "https:" || address.protocol === "http:" ? address.href : undefined;
}
