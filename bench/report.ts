/**
 * What every benchmark uses, in Node and in Deno: `readOptions` for its `--name value` arguments and `reportRow` for
 * its results. A benchmark prints rows, nothing else, on standard output; bench/run.mjs shows them as a table and sets
 * the exit status.
 *
 * A row is one JSON object a line: `{bench, row, figures, target, ok}`. A target is written `{fps: ">= 29"}`,
 * `{delayMs: "<= 80"}` or `{avOffsetMs: "+- 45"}` and printed as house rules say, `{name: number}`: every target is a
 * maximum, except for the names that `compare` lists with ">=" (a minimum) or "+-" (a bound on the magnitude). `ok` is
 * there when there is a target, and is false too when its figure could not be measured (null).
 */
import process from "node:process";

/** A measured number, or null when it could not be had. Names carry the unit: `delayP50Ms`, `lostShare` (0 to 1). */
export type Figures = Record<string, number | null>;

/** What a row was measured with: seed, seconds, system, version. */
export type RowParameters = Record<string, string | number | boolean>;

export type Target = `${"<=" | ">=" | "+-"} ${number}`;

export interface Row {
  bench: string;
  row: RowParameters;
  figures: Figures;
  target?: Record<string, Target>;
}

/** What a line of the output holds. */
interface Line {
  bench: string;
  row: RowParameters;
  figures: Figures;
  target?: Record<string, number>;
  compare?: Record<string, string>;
  ok?: boolean;
}

const TARGET = /^(<=|>=|\+-) (\S+)$/;

/**
 * Prints one row.
 * @returns whether it meets its target (true without one)
 * @throws Error when a target is not of the form above: a mistake of the benchmark's author
 */
export function reportRow(row: Row): boolean {
  const figures: Figures = {};
  for (const [name, figure] of Object.entries(row.figures)) figures[name] = rounded(figure);
  const line: Line = { bench: row.bench, row: row.row, figures };
  let ok = true;
  if (row.target !== undefined) {
    const bounds: Record<string, number> = {};
    const compare: Record<string, string> = {};
    for (const [name, target] of Object.entries(row.target)) {
      const [, sign, text] = TARGET.exec(target) ?? [];
      const bound = Number(text);
      if (sign === undefined || Number.isNaN(bound))
        throw new Error(`Target ${name}: ${target} is not like "<= 80".`);
      bounds[name] = bound;
      if (sign !== "<=") compare[name] = sign;
      ok = meets(figures[name] ?? null, sign, bound) && ok;
    }
    line.target = bounds;
    if (Object.keys(compare).length > 0) line.compare = compare;
    line.ok = ok;
  }
  process.stdout.write(`${JSON.stringify(line)}\n`);
  return ok;
}

/** Says on standard error what the benchmark is doing. */
export function note(sentence: string): void {
  process.stderr.write(`${sentence}\n`);
}

function meets(figure: number | null, sign: string, bound: number): boolean {
  if (figure === null) return false;
  if (sign === ">=") return figure >= bound;
  return sign === "+-" ? Math.abs(figure) <= bound : figure <= bound;
}

/** Four significant digits, integers whole: nothing here is measured better than that. */
function rounded(figure: number | null): number | null {
  if (figure === null || !Number.isFinite(figure)) return null;
  return Number.isInteger(figure) ? figure : Number(figure.toPrecision(4));
}

interface NumberOption {
  /** Used when the option is not given; null where "not given" means something of its own. */
  default: number | null;
  min: number;
  max: number;
  /** Whole numbers only. */
  whole?: boolean;
  about: string;
}

interface ChoiceOption {
  default: string;
  oneOf: readonly string[];
  about: string;
}

interface TextOption {
  default: string;
  /** What the text is: "path". */
  text: string;
  about: string;
}

type Option = NumberOption | ChoiceOption | TextOption;

export type OptionTable = Record<string, Option>;

export type OptionValues<Table extends OptionTable> = {
  [Name in keyof Table]: Table[Name] extends ChoiceOption
    ? Table[Name]["oneOf"][number]
    : Table[Name] extends TextOption
      ? string
      : null extends Table[Name]["default"]
        ? number | null
        : number;
};

/**
 * Reads `--name value` (or `--name=value`) from the command line. An argument that is not in the table, or not within
 * its bounds, ends the process with status 2 after one line that says what is possible. `--help` prints the table.
 */
export function readOptions<const Table extends OptionTable>(table: Table): OptionValues<Table> {
  const values: Record<string, number | string | null> = {};
  for (const [name, option] of Object.entries(table)) values[name] = option.default;
  const rest = process.argv.slice(2).flatMap((argument) => {
    const [, name, value] = /^(--[^=]+)=(.*)$/.exec(argument) ?? [];
    return name === undefined || value === undefined ? [argument] : [name, value];
  });
  if (rest.includes("--help")) endWith(describe(table), 0);
  for (let at = 0; at < rest.length; at += 2) {
    const name = rest[at]!.replace(/^--/, "");
    const option = Object.hasOwn(table, name) && rest[at]!.startsWith("--") ? table[name] : undefined;
    if (option === undefined) {
      const known = Object.keys(table).map((key) => `--${key}`);
      endWith(`There is no option ${rest[at]}: this benchmark has ${known.join(", ")}.`, 2);
    }
    values[name] = readValue(name, option, rest[at + 1]);
  }
  return values as OptionValues<Table>;
}

function readValue(name: string, option: Option, text: string | undefined): number | string {
  if ("text" in option) {
    if (text !== undefined && text !== "" && !text.startsWith("--")) return text;
    endWith(`--${name} takes a ${option.text}.`, 2);
  }
  if ("oneOf" in option) {
    if (text !== undefined && option.oneOf.includes(text)) return text;
    endWith(`--${name} takes one of ${option.oneOf.join(", ")}, not ${text ?? "nothing"}.`, 2);
  }
  const value = text === undefined || text.trim() === "" ? Number.NaN : Number(text);
  const fits =
    value >= option.min && value <= option.max && (option.whole !== true || Number.isInteger(value));
  if (fits) return value;
  const kind = option.whole === true ? "a whole number" : "a number";
  endWith(`--${name} takes ${kind} from ${option.min} to ${option.max}, not ${text ?? "nothing"}.`, 2);
}

function describe(table: OptionTable): string {
  const lines = Object.entries(table).map(([name, option]) => {
    const usual = option.default === null || option.default === "" ? "" : ` (${option.default})`;
    return `  --${name} ${rangeOf(option)}  ${option.about}${usual}`;
  });
  return lines.join("\n");
}

function rangeOf(option: Option): string {
  if ("text" in option) return option.text.toUpperCase();
  return "oneOf" in option ? option.oneOf.join("|") : `${option.min}..${option.max}`;
}

function endWith(sentence: string, status: number): never {
  process.stderr.write(`${sentence}\n`);
  process.exit(status);
}

/** The value below which `share` (0 to 1) of the values lie; null when there are none. Sorts a copy. */
export function quantile(values: readonly number[], share: number): number | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const position = share * (sorted.length - 1);
  const below = sorted[Math.floor(position)]!;
  const above = sorted[Math.ceil(position)]!;
  return below + (above - below) * (position - Math.floor(position));
}

export function median(values: readonly number[]): number | null {
  return quantile(values, 0.5);
}
