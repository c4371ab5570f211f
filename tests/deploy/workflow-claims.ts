/** GitHub's workflows: read by actionlint, which knows what each action takes; nothing in them can change unseen. */
import { deepStrictEqual as same, match, ok } from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Claims } from "../compose/claims.ts";
import { mustSay } from "./said.ts";
import { TOOLS } from "./tools.ts";

const root = join(import.meta.dirname, "../..");

export async function workflowClaims(claims: Claims): Promise<void> {
  const files = globSync(".github/workflows/*.yml", { cwd: root }).map((file) => join(root, file));
  const texts = files.map((file) => readFileSync(file, "utf8"));
  await claims.holds("actionlint has nothing to say about the workflows", () => {
    ok(files.length >= 2);
    // Checkers of scripts that a machine may have or not.
    mustSay(TOOLS.actionlint, ["-shellcheck=", "-pyflakes=", ...files]);
  });
  await claims.holds("every action is pinned to a commit, with its version beside it", () => {
    const used = texts.flatMap((text) => text.match(/\buses: .*/g) ?? []);
    ok(used.length > 3);
    same(
      used.filter((line) => !/^uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(line)),
      [],
    );
  });
  await claims.holds(
    "a release builds every Dockerfile for both architectures, with provenance and SBOM",
    () => {
      const release = readFileSync(join(root, ".github/workflows/release.yml"), "utf8");
      const dockerfiles = globSync("deploy/*.Dockerfile", { cwd: root });
      same(
        [...release.matchAll(/dockerfile: (\S+),/g)].map(([, file = ""]) => file).toSorted(),
        dockerfiles.toSorted(),
      );
      match(release, /^ +platforms: linux\/amd64,linux\/arm64$/m);
      match(release, /^ +provenance: mode=max$/m);
      match(release, /^ +sbom: true$/m);
    },
  );
  await claims.holds("a release has the archive of each kind of machine, and the bill of materials", () => {
    const release = readFileSync(join(root, ".github/workflows/release.yml"), "utf8");
    match(release, /^ +runner: \[ubuntu-24\.04, ubuntu-24\.04-arm\]$/m);
    for (const command of ["npm run archive -- --out dist", "npm run sbom -- "])
      ok(release.includes(command), command);
    match(release, /sha256sum sluice-\*\.cdx\.json/);
    // A release candidate is a tag too, and no release that is taken for the latest.
    ok(release.includes('"v[0-9]+.[0-9]+.[0-9]+-rc.[0-9]+"'), "candidates");
    ok(release.includes("--prerelease"), "candidates are marked");
  });
}
