import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { redisKeysPage } from "./docs.ts";
import { KEYS } from "./key-table.ts";
import { META_FIELDS } from "./records/stream-fields.ts";
import { SCRIPTS } from "./scripts.ts";
import { streamSchema } from "./stream-schema.ts";

test("docs/reference/redis-keys.md is what the tables say (node packages/redis-schema/scripts/write-docs.ts)", () => {
  const committed = readFileSync(new URL("../../../docs/reference/redis-keys.md", import.meta.url), "utf8");
  expect(committed).toBe(redisKeysPage());
});

test("docs/reference/stream.schema.json is what the table of fields says", () => {
  const committed = readFileSync(
    new URL("../../../docs/reference/stream.schema.json", import.meta.url),
    "utf8",
  );
  expect(JSON.parse(committed)).toEqual(streamSchema());
});

test("the page names every key, every field and every script, each script with its purpose", () => {
  const page = redisKeysPage();
  for (const { pattern } of Object.values(KEYS)) expect(page).toContain(`| \`${pattern}\` |`);
  for (const field of META_FIELDS) expect(page).toContain(`| \`${field}\` |`);
  for (const { name } of Object.values(SCRIPTS))
    expect(page).toMatch(new RegExp(`\\| \`${name}\` \\| \\w.+ \\|`));
});
