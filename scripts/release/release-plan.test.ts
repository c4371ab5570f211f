import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { nextVersion, planRelease, unfinished, type ReleaseFacts, type ReleaseStep } from "./release-plan.ts";

const CHANGELOG =
  "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- A thing.\n\n## [0.1.0] - 2026-01-01\n\n- Older.\n";
const FACTS: ReleaseFacts = {
  wanted: "minor",
  version: "0.1.0",
  tags: ["v0.1.0"],
  uncommitted: "",
  changelog: CHANGELOG,
  changesRecords: false,
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
    ["0.1.0", "1.0.0-rc.1", "1.0.0-rc.1"],
    ["1.0.0-rc.1", "rc", "1.0.0-rc.2"],
    ["1.0.0-rc.9", "1.0.0-rc.10", "1.0.0-rc.10"],
    ["1.0.0-rc.2", "1.0.0-rc.2", undefined],
    ["1.0.0-rc.2", "1.0.0", "1.0.0"],
    ["1.0.0-rc.2", "major", "1.0.0"],
    ["1.1.0-rc.1", "minor", "1.1.0"],
    ["1.1.1-rc.1", "minor", "1.2.0"],
    ["1.1.1-rc.1", "patch", "1.1.1"],
    ["1.0.0", "1.0.0-rc.3", undefined],
    ["1.0.0", "rc", undefined],
    ["1.0.0", "1.1.0-beta", undefined],
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
    ["records that the last release cannot read, unsaid", { changesRecords: true }, "Before you upgrade"],
    ["nothing to say", { changelog: "## [Unreleased]\n\n## [0.1.0]\n\n- Older.\n" }, "nothing to release"],
  ])("is refused for %s", (_why, differs, says) => {
    expect(planRelease({ ...FACTS, ...differs })).toContain(says);
  });
});

const RESTORE = "git restore --staged --worktree -- package.json deploy/helm/sluice/Chart.yaml CHANGELOG.md";

it.each<[what: string, at: ReleaseStep, left: string[], takeBack: string[]]>([
  ["an edit", "edits", [], [RESTORE]],
  ["the commit", 0, ["git commit", "git tag", "docker build", "docker build"], [RESTORE]],
  ["the tag", 1, ["git tag", "docker build", "docker build"], ["git reset --keep HEAD~1"]],
  ["the second image", 3, ["docker build"], ["git tag --delete v0.2.0", "git reset --keep HEAD~1"]],
])(
  "a release that fails at %s says what is left and how to take back what is done",
  (_what, at, left, takeBack) => {
    const plan = planRelease(FACTS);
    if (typeof plan === "string") throw new Error(plan);
    const [, finish = "", back = finish] = unfinished(plan, at).split(/^To .* run:$/m);
    const finishing = left.length > 0 ? (finish.match(/^(git|docker) \w+/gm) ?? []) : [];
    expect(finishing).toEqual(left);
    expect(back.trim().split(" &&\n")).toEqual(takeBack);
  },
);

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

describe("a release in a checkout of its own", () => {
  let parent: string;
  let dir: string;
  let engine: string;
  const env = {
    PATH: process.env["PATH"],
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_AUTHOR_NAME: "A",
    GIT_AUTHOR_EMAIL: "a@example.com",
    GIT_COMMITTER_NAME: "A",
    GIT_COMMITTER_EMAIL: "a@example.com",
  };
  const git = (...args: string[]) => execFileSync("git", args, { cwd: dir, env, encoding: "utf8" }).trim();
  const state = () => [git("status", "--porcelain"), git("tag", "--list"), git("log", "--format=%s")];
  const BEFORE = ["", "", "Begin"];
  const AFTER = ["", "v0.2.0", "Release 0.2.0\nBegin"];

  beforeEach(() => {
    parent = mkdtempSync(join(tmpdir(), "sluice-release-"));
    dir = join(parent, "checkout");
    engine = join(parent, "engine");
    for (const path of ["release.ts", "release/release-plan.ts"])
      cpSync(join(import.meta.dirname, "..", path), join(dir, "scripts", path));
    const manifest = '{\n  "type": "module",\n  "version": "0.1.0"\n}\n';
    writeFileSync(join(dir, "package.json"), manifest);
    // A quote, which the printed commands have to keep from the shell.
    writeFileSync(join(dir, "CHANGELOG.md"), CHANGELOG.replace("A thing", "A user's $thing"));
    git("init", "--quiet");
    git("add", "--all");
    git("commit", "--quiet", "--message", "Begin");
  });
  afterEach(() => rmSync(parent, { recursive: true }));

  /** An engine that writes its arguments to `built`, and fails at `fails`. */
  function engineThatFailsAt(fails: string): void {
    const script = `#!/bin/sh\n[ "$1" = "${fails}" ] && exit 5\necho "$@" >> "${parent}/built"\n`;
    writeFileSync(engine, script, { mode: 0o755 });
  }

  function hookThatFails(): void {
    mkdirSync(join(dir, ".git/hooks"), { recursive: true });
    writeFileSync(join(dir, ".git/hooks/pre-commit"), "#!/bin/sh\nexit 1\n", { mode: 0o755 });
  }

  function release() {
    const argv = ["scripts/release.ts", "minor", "--engine", engine];
    const { status, stderr } = spawnSync(process.execPath, argv, { cwd: dir, env, encoding: "utf8" });
    expect(stderr).not.toMatch(/^\s+at /m);
    const [why = "", finish = "", takeBack = ""] = stderr.split(/^To .* run:$/m);
    return { status, why, finish, takeBack };
  }

  const follow = (commands: string) =>
    execFileSync("sh", ["-c", commands], { cwd: dir, env, stdio: ["ignore", "pipe", "pipe"] });

  it("without an engine changes nothing, and says what is missing", () => {
    const { status, why } = release();
    expect(status).toBe(1);
    expect(why).toContain(`${engine} is not installed`);
    expect(state()).toEqual(BEFORE);
  });

  it("with an engine that does not work changes nothing", () => {
    engineThatFailsAt("version");
    const { status, why } = release();
    expect(status).toBe(1);
    expect(why).toContain(`${engine} version failed with exit code 5`);
    expect(state()).toEqual(BEFORE);
  });

  it("whose images cannot be built is finished by the commands it prints", () => {
    engineThatFailsAt("build");
    const { status, why, finish } = release();
    expect(status).toBe(1);
    expect(why).toContain(`${engine} build failed with exit code 5`);
    expect(state()).toEqual(AFTER);
    engineThatFailsAt("nothing");
    follow(finish);
    const built = readFileSync(join(parent, "built"), "utf8");
    expect(built.match(/--tag sluice-(worker|web):0\.2\.0/g)).toHaveLength(2);
  });

  it("whose images cannot be built is taken back by the commands it prints", () => {
    engineThatFailsAt("build");
    follow(release().takeBack);
    expect(state()).toEqual(BEFORE);
  });

  it("that cannot be committed is finished, with its tag, by the commands it prints", () => {
    engineThatFailsAt("nothing");
    hookThatFails();
    const { status, why, finish } = release();
    expect(status).toBe(1);
    expect(why).toContain("git commit failed with exit code 1");
    expect(() => follow(finish)).toThrow("Command failed");
    expect(git("tag", "--list")).toBe("");
    rmSync(join(dir, ".git/hooks/pre-commit"));
    follow(finish);
    expect(state()).toEqual(AFTER);
    expect(git("tag", "--list", "--format=%(contents:body)")).toContain("- A user's $thing.");
  });

  it("that cannot be committed is taken back by the commands it prints", () => {
    engineThatFailsAt("nothing");
    hookThatFails();
    follow(release().takeBack);
    expect(state()).toEqual(BEFORE);
  });
});
