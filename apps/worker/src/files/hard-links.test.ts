/** When a file with several names is followed: the table over who owns what, and the rule of its watch. */
import { expect, it } from "vitest";
import { mayFollow, refusedLink } from "./hard-links.ts";

it.each([
  ["of the directory's owner", { owner: 7n, directoryOwner: 7n, worker: 8n }, true],
  ["of the worker's user", { owner: 8n, directoryOwner: 7n, worker: 8n }, true],
  ["of somebody else", { owner: 9n, directoryOwner: 7n, worker: 8n }, false],
  [
    "of root, in another's directory, seen by a user's worker",
    { owner: 0n, directoryOwner: 7n, worker: 8n },
    false,
  ],
  [
    "of root, in another's directory, seen by root's worker",
    { owner: 0n, directoryOwner: 7n, worker: 0n },
    false,
  ],
  ["of root, in root's directory", { owner: 0n, directoryOwner: 0n, worker: 0n }, true],
  ["in a directory that is gone", { owner: 9n, directoryOwner: undefined, worker: 8n }, false],
  ["where users have no numbers", { owner: 0n, directoryOwner: 0n, worker: undefined }, true],
])("a file %s is followed: %o is %s", (_, facts, followed) => {
  expect(mayFollow(facts)).toBe(followed);
});

it("a file with one name is followed whatever the rule, one with two never where links are refused", async () => {
  const other = 54_321n;
  for (const rule of ["allow", "refuse"] as const)
    expect(await refusedLink({ nlink: 1n, uid: other }, "/in/a", rule)).toBeUndefined();
  expect(await refusedLink({ nlink: 2n, uid: other }, "/nowhere/a", "refuse")).toContain(
    "SLUICE_HARDLINKS=refuse",
  );
  expect(await refusedLink({ nlink: 2n, uid: other }, "/nowhere/a", "allow")).toContain("another owner");
});
