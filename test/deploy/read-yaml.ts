/**
 * Reads as much of YAML as deploy/compose.yaml is written in: mappings and lists by indentation, anchors, aliases, merges and
 * folded text. Whatever else there is, is an error: the file is to stay that plain.
 */

type Yaml = string | Yaml[] | { [key: string]: Yaml };

interface Line {
  number: number;
  indent: number;
  text: string;
}

const ENTRY = /^([\w<-][\w<.-]*):(?: +(.*))?$/;

/** Throws SyntaxError with the line. */
export function readYaml(text: string): Yaml {
  const reader = new YamlReader(text);
  const value = reader.block(0);
  reader.requireEnd();
  return value;
}

class YamlReader {
  readonly #lines: Line[];
  readonly #anchors = new Map<string, Yaml>();
  #at = 0;

  constructor(text: string) {
    this.#lines = text.split("\n").flatMap((line, index) => {
      const bare = line.trimEnd();
      if (/^\s*(#.*)?$/.test(bare)) return [];
      const indent = bare.search(/\S/);
      return [{ number: index + 1, indent, text: bare.slice(indent) }];
    });
  }

  requireEnd(): void {
    if (this.#at < this.#lines.length) this.#fail("is indented as nothing before it");
  }

  block(indent: number): Yaml {
    return this.#lines[this.#at]?.text.startsWith("- ") === true ? this.#list(indent) : this.#mapping(indent);
  }

  #list(indent: number): Yaml[] {
    const items: Yaml[] = [];
    for (let line = this.#next(indent); line?.text.startsWith("- "); line = this.#next(indent)) {
      items.push(this.#scalar(line.text.slice(2).trim()));
      this.#at++;
    }
    return items;
  }

  #mapping(indent: number): Yaml {
    const own: Record<string, Yaml> = {};
    let merged: Record<string, Yaml> = {};
    for (let line = this.#next(indent); line !== undefined; line = this.#next(indent)) {
      const [, key, rest = ""] = ENTRY.exec(line.text) ?? [];
      if (key === undefined) this.#fail("is no `key: value`");
      if (Object.hasOwn(own, key)) this.#fail(`says ${key} twice`);
      this.#at++;
      const value = this.#value(indent, rest);
      if (key === "<<") merged = value as Record<string, Yaml>;
      else own[key] = value;
    }
    return { ...merged, ...own };
  }

  #value(indent: number, rest: string): Yaml {
    const [, anchor, after = rest] = /^&([\w-]+)\s*(.*)$/.exec(rest) ?? [];
    const value = after === "" || after === ">-" ? this.#below(indent, after === ">-") : this.#scalar(after);
    if (anchor !== undefined) this.#anchors.set(anchor, value);
    return value;
  }

  #below(indent: number, isFolded: boolean): Yaml {
    const first = this.#lines[this.#at];
    if (first === undefined || first.indent <= indent) return "";
    if (!isFolded) return this.block(first.indent);
    const words: string[] = [];
    for (let line = this.#next(first.indent); line !== undefined; line = this.#next(first.indent)) {
      words.push(line.text);
      this.#at++;
    }
    return words.join(" ");
  }

  #scalar(text: string): Yaml {
    if (text.startsWith("*")) {
      const value = this.#anchors.get(text.slice(1));
      if (value === undefined) this.#fail(`names ${text}, which is not there`);
      return value;
    }
    const [, quoted] = /^"([^"\\]*)"$/.exec(text) ?? [];
    if (quoted === undefined && /^["'[{|>&!%@`]|: | #/.test(text)) this.#fail("is more than this reads");
    return quoted ?? text;
  }

  #next(indent: number): Line | undefined {
    const line = this.#lines[this.#at];
    return line?.indent === indent ? line : undefined;
  }

  #fail(what: string): never {
    const { number, text } = this.#lines[Math.min(this.#at, this.#lines.length - 1)]!;
    throw new SyntaxError(`line ${number} (${text}) ${what}`);
  }
}
