/**
 * The day of a developer with a small patch: one more suffix of temporary names, from a fresh clone to checks that pass. It
 * is tried wrong first: what is forgotten has to be named.
 */
import { deepStrictEqual as same, match, notEqual } from "node:assert/strict";
import type { Claims } from "../compose/claims.ts";
import { Person } from "./person.ts";

const UNIT = ["npm", "run", "-s", "unit", "--", "packages/core/src/stream", "packages/config"];

export async function contributorDay(claims: Claims): Promise<void> {
  await using person = await Person.withClone();
  await claims.must("`npm run check` passes in a fresh clone, and brings what it needs", async () => {
    match(await person.mustRun(["npm", "run", "check"]), /^\d+ passed, 0 failed$/m);
  });
  await claims.holds("a change without its test is named by the test that has to change", async () => {
    person.edit("packages/core/src/stream/temporary-names.ts", `".!qB",`, `".!qB",\n  ".aria2",`);
    const { code, all } = await person.run(UNIT);
    notEqual(code, 0);
    match(all, /load\.test\.ts/);
    match(all, /reference/);
  });
  await claims.must("test and page follow, and the tests of both packages pass", async () => {
    person.edit("packages/config/src/load.test.ts", `".!qB",`, `".!qB", ".aria2",`);
    person.edit(
      "packages/core/src/stream/temporary-names.test.ts",
      `["a.mkv.crdownload", ".crdownload", "a.mkv"],`,
      `["a.mkv.crdownload", ".crdownload", "a.mkv"],\n    ["a.mkv.aria2", ".aria2", "a.mkv"],`,
    );
    await person.mustRun(["npm", "run", "-s", "docs:settings"]);
    await person.mustRun(["npm", "run", "-s", "format"]);
    await person.mustRun(UNIT);
    match(await person.mustRun(["git", "diff", "--stat"]), /configuration\.md/);
  });
  await claims.holds("the checks pass with the patch", async () => {
    match(await person.mustRun(["npm", "run", "check"]), /^\d+ passed, 0 failed$/m);
  });
  await claims.holds("what is not well formatted or does not type-check is named", async () => {
    person.edit(
      "packages/core/src/stream/temporary-names.ts",
      `export const MARKER_SUFFIX`,
      `const unfinished: number  =  "text";\nexport const MARKER_SUFFIX`,
    );
    const { code, all } = await person.run(["npm", "run", "check"]);
    same(code, 1);
    for (const named of [/temporary-names\.ts \(\d+ms\)/, /TS2322/]) match(all, named);
  });
}
