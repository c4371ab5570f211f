/** Every command that the documents print for the development stack is run as it stands there. */
import { ok, strictEqual as same } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Claims } from "./claims.ts";
import type { Stack } from "./stack.ts";

const PAGE = "docs/operating.md";
const CHAPTER = "Docker Compose";
/** Tried by production-claims.ts, with an operator's values. */
const PRODUCTION = /docker-compose\.prod\.yml|secrets/;

export async function documentClaims(claims: Claims, stack: Stack): Promise<void> {
  const commands = commandsOf(readFileSync(join(stack.directory, PAGE), "utf8"), CHAPTER);
  ok(commands.length > 3, `${PAGE}: no commands were found below "${CHAPTER}"`);
  for (const command of commands.filter((each) => !PRODUCTION.test(each))) {
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
