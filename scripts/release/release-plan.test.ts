import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { nextVersion, planRelease, type ReleaseFacts } from "./release-plan.ts";

const CHANGELOG =
  "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- A thing.\n\n## [0.1.0] - 2026-01-01\n\n- Older.\n";
const FACTS: ReleaseFacts = {
  wanted: "minor",
  version: "0.1.0",
  tags: ["v0.1.0"],
  uncommitted: "",
  changelog: CHANGELOG,
  versioned: [
    {
      path: "package.json",
      text: '{\n  "name": "sluice",\n  "version": "0.1.0",\n  "x": { "version": "9" }\n}\n',
    },
    { path: "deploy/helm/sluice/Chart.yaml", text: "apiVersion: v2\nversion: 0.1.0\nappVersion: 0.1.0\n" },
  ],
  date: "2026-12-01",
  engine: "docker",
  registry: "registry.example.com/media",
};

describe("the next version", () => {
  it.each([
    ["1.2.3", "major", "2.0.0"],
    ["1.2.3", "minor", "1.3.0"],
    ["1.2.3", "patch", "1.2.4"],
    ["1.2.3", "1.10.0", "1.10.0"],
    ["1.2.3", "1.2.3", undefined],
    ["1.2.3", "1.1.9", undefined],
    ["1.2.3", "v1.3.0", undefined],
    ["1.2.3", "1.3", undefined],
  ])("after %s, asked for as %s, is %s", (present, wanted, next) => {
    expect(nextVersion(present, wanted)).toBe(next);
  });
});

describe("a release", () => {
  it("changes every version and the changelog, commits, tags with the notes, and builds both images", () => {
    const plan = planRelease(FACTS);
    if (typeof plan === "string") throw new Error(plan);
    const [root, chart, changelog] = plan.edits;
    expect(root?.text).toBe('{\n  "name": "sluice",\n  "version": "0.2.0",\n  "x": { "version": "9" }\n}\n');
    expect(chart?.text).toBe("apiVersion: v2\nversion: 0.2.0\nappVersion: 0.2.0\n");
    expect(changelog?.text).toContain(
      "## [Unreleased]\n\n## [0.2.0] - 2026-12-01\n\n### Added\n\n- A thing.\n",
    );
    expect(plan.commands.map(([program, what]) => `${program} ${what}`)).toEqual([
      "git commit",
      "git tag",
      "docker build",
      "docker build",
    ]);
    expect(plan.commands[1]?.join(" ")).toContain("v0.2.0\n\n### Added\n\n- A thing.");
    expect(plan.commands[1]?.join(" ")).not.toContain("Older");
    expect(plan.afterwards).toContain("docker push registry.example.com/media/sluice-web:0.2.0");
  });

  it.each([
    ["a version that is no version", { wanted: "big" }, "neither a version above 0.1.0"],
    ["a tag that exists", { tags: ["v0.2.0"] }, "the tag v0.2.0 exists"],
    ["uncommitted changes", { uncommitted: " M README.md" }, "uncommitted changes"],
    ["nothing to say", { changelog: "## [Unreleased]\n\n## [0.1.0]\n\n- Older.\n" }, "nothing to release"],
  ])("is refused for %s", (_why, differs, says) => {
    expect(planRelease({ ...FACTS, ...differs })).toContain(says);
  });
});

it("a dry run in this checkout shows every package, and changes nothing", () => {
  const root = join(import.meta.dirname, "../..");
  const versioned = [
    "package.json",
    "apps/worker/package.json",
    "packages/core/package.json",
    "CHANGELOG.md",
  ];
  const texts = () => versioned.map((path) => readFileSync(join(root, path), "utf8"));
  const before = texts();
  const run = spawnSync(process.execPath, ["scripts/release.ts", "minor", "--dry-run"], {
    cwd: root,
    encoding: "utf8",
  });
  // Right after a release there is nothing to release yet, which is said.
  const shown = [...versioned.map((path) => `would write ${path}\n`), "would run git tag"];
  for (const text of run.status === 0 ? shown : ["nothing to release"]) {
    expect(run.stdout + run.stderr).toContain(text);
  }
  expect(texts()).toEqual(before);
});
