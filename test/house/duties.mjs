/**
 * "One duty a file" of ARCHITECTURE.md, made from the first sentence of each file's header. `npm run duties` writes it;
 * a house test sees that it is what the files say.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ROOT } from "../../start/dependencies.mjs";
import { projectFiles } from "../project-files.mjs";

const BEGIN = "<!-- duties: written by `npm run duties` -->";
const END = "<!-- end of duties -->";
const LISTED = /^(core|gateway|relay|bridge|client|start)\/.*\.(ts|mjs|js)$/;
const NOT_LISTED = /\.(test|deno-test|d)\.ts$|\/testing\//;

/** First sentence of the comment that a file opens with. @param {string} text */
function dutyOf(text) {
  const header = /^(?:#!.*\n)?(?:\/\*\*([\s\S]*?)\*\/|((?:\/\/.*\n)+))/.exec(text);
  const words = (header?.[1] ?? header?.[2] ?? "")
    .replaceAll(/^\s*(\*|\/\/) ?/gm, "")
    .trim()
    .replaceAll(/\s+/g, " ");
  const sentence = /^.*?\.(?= |$)/.exec(words)?.[0] ?? words;
  return sentence.replace(/\.$/, "").replaceAll("|", "\\|");
}

/** The section between the markers, grouped by folder. */
export function dutiesSection(root = ROOT) {
  /** @type {Map<string, string[]>} */
  const folders = new Map();
  for (const path of projectFiles(root).filter((file) => LISTED.test(file) && !NOT_LISTED.test(file))) {
    const cut = path.lastIndexOf("/");
    const folder = path.slice(0, cut);
    const rows = folders.get(folder) ?? [];
    rows.push(`| \`${path.slice(cut + 1)}\` | ${dutyOf(readFileSync(join(root, path), "utf8"))} |`);
    folders.set(folder, rows);
  }
  const parts = [...folders].map(
    ([folder, rows]) => `| **${folder}/** | |\n| --- | --- |\n${rows.join("\n")}`,
  );
  return `${BEGIN}\n\n${parts.join("\n\n")}\n\n${END}`;
}

/** The page with a fresh section. Throws when it has no markers. @param {string} page */
export function withDuties(page, root = ROOT) {
  const begin = page.indexOf(BEGIN);
  const end = page.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`ARCHITECTURE.md has no "${BEGIN}" before "${END}".`);
  return page.slice(0, begin) + dutiesSection(root) + page.slice(end + END.length);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const path = join(ROOT, "ARCHITECTURE.md");
  writeFileSync(path, withDuties(readFileSync(path, "utf8")));
}
