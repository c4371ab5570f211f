import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { hashInputs, inputsUnder, isStamped, removeStamp, writeStamp } from "./stamps.mjs";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "sluice stamps "));
  mkdirSync(join(root, "app/src"), { recursive: true });
  writeFileSync(join(root, "app/src/a.ts"), "a");
  writeFileSync(join(root, "app/src/b.ts"), "b");
});
afterEach(() => rmSync(root, { recursive: true }));

const hash = (...facts: string[]) => hashInputs(root, inputsUnder(join(root, "app")), facts);

it("a step is done when the same inputs were stamped, and not before", () => {
  const stamp = join(root, ".sluice/stamps/x");
  expect(isStamped(stamp, hash())).toBe(false);
  writeStamp(stamp, hash());
  expect(isStamped(stamp, hash())).toBe(true);
  removeStamp(stamp);
  expect(isStamped(stamp, hash())).toBe(false);
});

it("a changed byte, a new file, a renamed file and a changed fact each change the hash", () => {
  const seen = [hash(), hash("node 24")];
  writeFileSync(join(root, "app/src/a.ts"), "A");
  seen.push(hash());
  writeFileSync(join(root, "app/src/c.ts"), "");
  seen.push(hash());
  renameSync(join(root, "app/src/c.ts"), join(root, "app/src/d.ts"));
  seen.push(hash());
  expect(new Set(seen).size).toBe(seen.length);
});

it("bytes that move from one file to the next change the hash", () => {
  const before = hash();
  writeFileSync(join(root, "app/src/a.ts"), "ab");
  writeFileSync(join(root, "app/src/b.ts"), "");
  expect(hash()).not.toBe(before);
});

it("tests, build products and installed packages are no inputs", () => {
  const before = hash();
  for (const dir of ["node_modules/x", ".next/cache", "test"])
    mkdirSync(join(root, "app", dir), { recursive: true });
  writeFileSync(join(root, "app/node_modules/x/index.js"), "1");
  writeFileSync(join(root, "app/.next/cache/y"), "1");
  writeFileSync(join(root, "app/test/z.test.ts"), "1");
  writeFileSync(join(root, "app/src/a.test.ts"), "1");
  expect(hash()).toBe(before);
});

it("the same files at another place have the same hash", () => {
  const before = hash();
  const moved = `${root}-moved`;
  renameSync(root, moved);
  root = moved;
  expect(hash()).toBe(before);
});

it("an input may be a single file or absent", () => {
  expect(inputsUnder(join(root, "app/src/a.ts"))).toEqual([join(root, "app/src/a.ts")]);
  expect(inputsUnder(join(root, "nowhere"))).toEqual([]);
});
