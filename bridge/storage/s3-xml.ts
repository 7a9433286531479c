/** The little XML that S3 speaks: flat elements without attributes that matter. Whatever else comes is passed over. */

/** Contents of each element of this name, as they stand, in order; elements within elements of the same name are not told apart. */
export function elementsOf(xml: string, name: string): string[] {
  const found: string[] = [];
  const close = `</${name}>`;
  let at = 0;
  for (;;) {
    const start = xml.indexOf(`<${name}`, at);
    if (start === -1) return found;
    const next = xml[start + name.length + 1];
    const opened = xml.indexOf(">", start);
    if (opened === -1) return found;
    at = opened + 1;
    // <Keys> is no <Key>.
    if (next === undefined || !/[\s/>]/.test(next)) continue;
    if (xml[opened - 1] === "/") {
      found.push("");
      continue;
    }
    const end = xml.indexOf(close, at);
    if (end === -1) return found;
    found.push(xml.slice(at, end));
    at = end + close.length;
  }
}

/** Text of the first element of this name; undefined = there is none. */
export function textOf(xml: string, name: string): string | undefined {
  const [first] = elementsOf(xml, name);
  return first === undefined ? undefined : unescaped(first);
}

const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

function unescaped(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]{2,4}));/gi, (whole, decimal, hex, name) => {
    if (name !== undefined) return ENTITIES[String(name).toLowerCase()] ?? whole;
    const code = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal);
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}

export function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (c) => `&${{ "&": "amp", "<": "lt", ">": "gt", '"': "quot" }[c]};`);
}
