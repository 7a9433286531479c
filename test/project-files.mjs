/** The project's own files: everything but what is installed, built or kept at run time. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../start/dependencies.mjs";

const NOT_OURS = new Set(["node_modules", "dist", "dist-sdk", ".git", ".tributary", ".wrangler", ".cache"]);

/** Paths relative to the project's folder, with "/", sorted. @returns {string[]} */
export function projectFiles(root = ROOT) {
  /** @type {string[]} */
  const files = [];
  /** @param {string} folder */
  const visit = (folder) => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) {
        if (!NOT_OURS.has(entry.name)) visit(path);
      } else if (entry.isFile()) {
        files.push(path);
      }
    }
  };
  visit("");
  return files.sort();
}
