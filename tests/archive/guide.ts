/** The guide's own commands: what a reader types is what is tried. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

const GUIDE = join(import.meta.dirname, "../../docs/guides/bare-metal.md");

/** The first block of commands under a heading, or the first that says `what`. */
export function commandsUnder(heading: string, what = /./): string {
  const [, rest = ""] = readFileSync(GUIDE, "utf8").split(`\n## ${heading}\n`);
  const [section = ""] = rest.split("\n## ");
  const blocks = [...section.matchAll(/^ *```sh\n([^]*?)^ *```/gm)].map(([, commands = ""]) => commands);
  const commands = blocks.find((block) => what.test(block));
  if (commands === undefined) throw new Error(`${GUIDE} has no commands ${String(what)} under "${heading}"`);
  return commands;
}
