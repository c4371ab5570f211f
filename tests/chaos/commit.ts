/** What a run was a run of: the commit, and a name for the code under test that changes only when that code does. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import type { RunLine } from "./raw-log.ts";

/** Everything a worker's process loads, and the endpoint it is run against. */
const PRODUCT = [
  "apps/worker/src",
  "packages/config/src",
  "packages/control/src",
  "packages/core/src",
  "packages/local-s3/src",
  "packages/redis-schema/src",
  "packages/s3-store/src",
  "packages/webhooks/src",
  "pnpm-lock.yaml",
];
const NAME_CHARACTERS = 12;

export function readCommit(root: string): Pick<RunLine, "git" | "dirty" | "product"> {
  const git = (...args: string[]): string =>
    execFileSync("git", args, { cwd: root, encoding: "utf8" }).trim();
  const trees = git("ls-tree", "HEAD", "--", ...PRODUCT);
  return {
    git: git("rev-parse", "HEAD"),
    dirty: git("status", "--porcelain", "--", ...PRODUCT) !== "",
    product: createHash("sha256").update(trees).digest("hex").slice(0, NAME_CHARACTERS),
  };
}
