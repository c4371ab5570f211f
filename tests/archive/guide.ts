/** The guide's own commands: what a reader types is what is tried. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

const GUIDE = join(import.meta.dirname, "../../docs/guides/bare-metal.md");

/** The first block of commands under a heading, or the first that says `what`. */
export function commandsUnder(heading: string, what = /./): string {
  return blockUnder(heading, "sh", what);
}

/** The first block in a language under a heading, or the first that says `what`. */
export function blockUnder(heading: string, language: string, what = /./): string {
  const [, rest = ""] = readFileSync(GUIDE, "utf8").split(`\n## ${heading}\n`);
  const [section = ""] = rest.split("\n## ");
  const blocks = [...section.matchAll(new RegExp(`^ *\`\`\`${language}\\n([^]*?)^ *\`\`\``, "gm"))];
  const found = blocks.map(([, block = ""]) => block).find((block) => what.test(block));
  if (found === undefined) throw new Error(`${GUIDE} has no ${language} ${String(what)} under "${heading}"`);
  return found;
}
