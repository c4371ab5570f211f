/** Every command that the documents print is run as it stands there: here those for the development stack. */
import { ok, strictEqual as same } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Claims } from "./claims.ts";
import type { Stack } from "./stack.ts";

const PAGE = "docs/guides/operating.md";
const CHAPTER = "Docker Compose";
const PRODUCTION = /docker-compose\.prod\.yml|secrets/;

/** `production`: those that production-claims.ts runs, with an operator's values. */
export function documentedCommands(root: string): { development: string[]; production: string[] } {
  const all = commandsOf(readFileSync(join(root, PAGE), "utf8"), CHAPTER);
  return {
    development: all.filter((each) => !PRODUCTION.test(each)),
    production: all.filter((each) => PRODUCTION.test(each)),
  };
}

export async function documentClaims(claims: Claims, stack: Stack): Promise<void> {
  const { development: commands } = documentedCommands(stack.directory);
  ok(commands.length > 3, `${PAGE}: no commands were found below "${CHAPTER}"`);
  for (const command of commands) {
    await claims.holds(`${PAGE}: ${command}`, async () => {
      const asked = command.replaceAll("127.0.0.1:7070", `127.0.0.1:${stack.ports.s3}`);
      const { code, all } = await stack.shell(asked);
      same(code, 0, all);
    });
  }
}

/** The lines of a chapter's shell blocks, without their comments. */
function commandsOf(page: string, chapter: string): string[] {
  const [, text = ""] = page.split(`\n## ${chapter}\n`);
  const [own = ""] = text.split("\n## ");
  return [...own.matchAll(/^```sh\n(.*?)^```$/gms)].flatMap(([, block = ""]) =>
    block
      .replaceAll("\\\n", " ")
      .split("\n")
      .map((line) =>
        line
          .replace(/ {2,}# .*$/, "")
          .replaceAll(/ +/g, " ")
          .trim(),
      )
      .filter((line) => line !== ""),
  );
}
