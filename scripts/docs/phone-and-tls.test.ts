/** The guide prints the proxies' snippets as they are tried. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const read = (file: string) => readFileSync(join(import.meta.dirname, "../..", file), "utf8");

test.each(["Caddyfile", "nginx.conf"])("docs/guides/phone-and-tls.md prints deploy/tls/%s whole", (name) => {
  const snippet = read(`deploy/tls/${name}`).replace(/^(?:#.*\n)+/, "");
  expect(snippet).toContain("127.0.0.1:3000");
  expect(read("docs/guides/phone-and-tls.md")).toContain(`\n${snippet}\`\`\``);
});
