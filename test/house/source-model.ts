/**
 * What the house rules need to know of a source file, read from its syntax tree: imports, exports, names it uses and
 * how long it is. The parser is the one that comes with Vite.
 */
import { parseAst } from "vite";

export interface ImportFact {
  /** As written ("../wire/limits.ts", "zod"). */
  from: string;
  /** Names taken from it; "*" for all of them. */
  names: string[];
  /** Gone after compilation. */
  typeOnly: boolean;
}

/** An identifier that refers to something, with its property where it is `object.property`. */
export interface NameUse {
  name: string;
  property: string | undefined;
  line: number;
}

export interface SourceFile {
  /** Relative to the project, with "/". */
  path: string;
  text: string;
  lines: number;
  imports: ImportFact[];
  exports: string[];
  /** Identifiers that are read, without property names, keys and declarations. */
  uses: NameUse[];
  functions: { name: string; line: number; lines: number }[];
  /** Names that the file itself gives to variables and parameters anywhere; they hide globals of that name. */
  declared: Set<string>;
  /** Comment at the top of the file, "" when there is none. */
  header: string;
}

interface Node {
  type: string;
  start: number;
  end: number;
  [key: string]: unknown;
}

/** Throws SyntaxError, with the path, when the text is not TypeScript or JavaScript. */
export function readSource(path: string, text: string): SourceFile {
  let program: Node;
  try {
    program = parseAst(text, { lang: path.endsWith(".ts") ? "ts" : "js" }, path) as unknown as Node;
  } catch (error) {
    throw new SyntaxError(`${path} cannot be parsed`, { cause: error });
  }
  const file: SourceFile = {
    path,
    text,
    lines: text.split("\n").length - 1,
    imports: [],
    exports: [],
    uses: [],
    functions: [],
    declared: new Set(),
    header: /^(?:#![^\n]*\n)?\s*(\/\*\*?[\s\S]*?\*\/|(?:\/\/[^\n]*\n)+)/.exec(text)?.[1] ?? "",
  };
  const lineOf = lineCounter(text);
  visit(program, undefined, "", (node, parent, key) => {
    readImport(node, file);
    readExport(node, file);
    // A function that is called where it stands is the scope of a script.
    if (key !== "callee") readFunction(node, parent, file, lineOf);
    if (node.type === "Identifier" && declares(parent, key)) file.declared.add(node.name as string);
    else if (node.type === "Identifier" && refers(parent, key)) {
      const property = isMember(parent) && key === "object" ? propertyOf(parent) : undefined;
      file.uses.push({ name: node.name as string, property, line: lineOf(node.start) });
    }
  });
  return file;
}

function readImport(node: Node, file: SourceFile): void {
  const source = (node.source as { value?: unknown } | null | undefined)?.value;
  if (typeof source !== "string") return;
  if (node.type === "ImportDeclaration") {
    const specifiers = node.specifiers as Node[];
    const names = specifiers.map((s) =>
      s.type === "ImportSpecifier"
        ? nameOf(s.imported)
        : s.type === "ImportDefaultSpecifier"
          ? "default"
          : "*",
    );
    const typeOnly =
      node.importKind === "type" ||
      (specifiers.length > 0 && specifiers.every((s) => s.importKind === "type"));
    file.imports.push({ from: source, names, typeOnly });
  } else if (node.type === "ExportNamedDeclaration") {
    const names = (node.specifiers as Node[]).map((s) => nameOf(s.local));
    file.imports.push({ from: source, names, typeOnly: node.exportKind === "type" });
  } else if (node.type === "ExportAllDeclaration" || node.type === "ImportExpression") {
    file.imports.push({ from: source, names: ["*"], typeOnly: false });
  } else if (node.type === "TSImportType") {
    file.imports.push({ from: source, names: ["*"], typeOnly: true });
  }
}

function readExport(node: Node, file: SourceFile): void {
  if (node.type === "ExportDefaultDeclaration") file.exports.push("default");
  if (node.type !== "ExportNamedDeclaration") return;
  for (const specifier of node.specifiers as Node[]) file.exports.push(nameOf(specifier.exported));
  const declaration = node.declaration as Node | null;
  if (declaration === null) return;
  if (declaration.type === "VariableDeclaration") {
    for (const one of declaration.declarations as Node[]) {
      const id = one.id as Node;
      if (id.type === "Identifier") file.exports.push(id.name as string);
    }
  } else {
    file.exports.push(nameOf(declaration.id));
  }
}

function readFunction(
  node: Node,
  parent: Node | undefined,
  file: SourceFile,
  lineOf: (offset: number) => number,
): void {
  if (!/^(Function|ArrowFunction)/.test(node.type) || !node.body) return;
  const name = nameOf(node.id ?? parent?.id ?? parent?.key ?? {}) || "a function without a name";
  const line = lineOf(node.start);
  file.functions.push({ name, line, lines: lineOf(node.end) - line + 1 });
}

/** Places where an identifier only names something and reads nothing. */
function refers(parent: Node | undefined, key: string): boolean {
  if (parent === undefined) return true;
  if (isMember(parent) && key === "property") return parent.computed === true;
  if (parent.type === "TSQualifiedName" && key === "right") return false;
  if (key === "key" && parent.shorthand !== true) return parent.computed === true;
  if (key === "label" || parent.type.startsWith("Import") || parent.type === "ExportSpecifier") return false;
  return key !== "id";
}

/** Places where an identifier is a new variable. Patterns that are assigned to count as well, which does no harm. */
function declares(parent: Node | undefined, key: string): boolean {
  if (parent?.type === "VariableDeclarator") return key === "id";
  if (parent?.type === "AssignmentPattern") return key === "left";
  return key === "params" || parent?.type === "ArrayPattern" || parent?.type === "RestElement";
}

function isMember(node: Node | undefined): node is Node {
  return node?.type === "MemberExpression" || node?.type === "TSQualifiedName";
}

function propertyOf(node: Node): string | undefined {
  const property = (node.property ?? node.right) as Node;
  return node.computed === true ? undefined : nameOf(property);
}

function nameOf(node: unknown): string {
  const { name, value } = node as { name?: string; value?: string };
  return name ?? value ?? "";
}

function visit(
  node: Node,
  parent: Node | undefined,
  key: string,
  found: (node: Node, parent: Node | undefined, key: string) => void,
): void {
  found(node, parent, key);
  for (const [childKey, value] of Object.entries(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (child !== null && typeof child === "object" && typeof (child as Node).type === "string") {
        visit(child as Node, node, childKey, found);
      }
    }
  }
}

function lineCounter(text: string): (offset: number) => number {
  const starts = [0];
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return (offset) => {
    let low = 0;
    let high = starts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((starts[middle] as number) <= offset) low = middle;
      else high = middle;
    }
    return low + 1;
  };
}
