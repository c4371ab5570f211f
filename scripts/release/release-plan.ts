/** What a release changes and runs, decided before anything is changed, so that a dry run shows all of it. */

export interface SourceText {
  readonly path: string;
  readonly text: string;
}

export interface ReleaseFacts {
  /** `1.2.3` or `1.2.3-rc.1`, or which number of the present version to increase. */
  readonly wanted: string;
  /** Of the root's package.json. */
  readonly version: string;
  readonly tags: readonly string[];
  /** What `git status --porcelain` says. */
  readonly uncommitted: string;
  readonly changelog: string;
  /** Whether this version writes records that the last released one cannot read. */
  readonly changesRecords: boolean;
  /** Every package.json and Chart.yaml with the version. */
  readonly versioned: readonly SourceText[];
  /** `YYYY-MM-DD` */
  readonly date: string;
  /** `docker`, `podman` or another engine with `build` and `push`. */
  readonly engine: string;
  readonly registry: string | undefined;
}

export interface ReleasePlan {
  readonly version: string;
  readonly edits: readonly SourceText[];
  /** In this order; the images are built from the commit that is tagged. */
  readonly commands: readonly (readonly string[])[];
  /** For the user, after checking the result. */
  readonly afterwards: readonly string[];
}

/** What can fail: a plan's edits, or one of its commands by its place. */
export type ReleaseStep = "edits" | number;

/** A string says why there can be no release, and what to do. */
export function planRelease(facts: ReleaseFacts): ReleasePlan | string {
  const version = nextVersion(facts.version, facts.wanted);
  if (version === undefined)
    return `"${facts.wanted}" is neither a version above ${facts.version} nor major, minor, patch or, of a candidate, rc`;
  const tag = `v${version}`;
  if (facts.tags.includes(tag)) return `the tag ${tag} exists: a version is released once`;
  if (facts.uncommitted !== "")
    return `there are uncommitted changes: commit them first\n${facts.uncommitted}`;
  const notes = unreleased(facts.changelog);
  if (notes === undefined) return "CHANGELOG.md has no entry under [Unreleased]: there is nothing to release";
  if (facts.changesRecords && !notes.includes(`${BEFORE_YOU_UPGRADE}\n`))
    return `the records in Redis have a new version: say under "${BEFORE_YOU_UPGRADE}" in CHANGELOG.md what that means for going back`;
  const edits = [
    ...facts.versioned.map(({ path, text }) => ({ path, text: withVersion(text, version) })),
    { path: "CHANGELOG.md", text: releasedChangelog(facts.changelog, version, facts.date) },
  ];
  const image = (name: string) => `${facts.registry ? `${facts.registry}/` : ""}sluice-${name}:${version}`;
  const build = (name: string, ...more: string[]) => [
    facts.engine,
    "build",
    "--file",
    `deploy/${name}.Dockerfile`,
    ...more,
    "--tag",
    image(name),
    ".",
  ];
  return {
    version,
    edits,
    commands: [
      ["git", "commit", "--quiet", "--message", `Release ${version}`, "--", ...edits.map(({ path }) => path)],
      ["git", "tag", "--annotate", tag, "--message", `${tag}\n\n${notes}`, "--cleanup=verbatim"],
      build("worker", "--target", "worker"),
      build("web"),
    ],
    afterwards: [
      `git push origin HEAD ${tag}`,
      `${facts.engine} push ${image("worker")}`,
      `${facts.engine} push ${image("web")}`,
    ],
  };
}

/** After a failed step: how to revert what is done already, and the commands that would finish the release. */
export function unfinished(plan: ReleasePlan, at: ReleaseStep): string {
  const hasCommit = at !== "edits" && at > 0;
  const hasTag = at !== "edits" && at > 1;
  const paths = plan.edits.map(({ path }) => path);
  const takeBack = [
    ...(hasTag ? [["git", "tag", "--delete", `v${plan.version}`]] : []),
    // `--keep` refuses to lose a change that was made since.
    hasCommit
      ? ["git", "reset", "--keep", "HEAD~1"]
      : ["git", "restore", "--staged", "--worktree", "--", ...paths],
  ];
  // A tag after a commit that failed again would be that of another commit.
  const lines = (commands: readonly (readonly string[])[]) => commands.map(shellLine).join(" &&\n");
  const finish = at === "edits" ? [] : plan.commands.slice(at);
  return [
    `The release of ${plan.version} is not finished: do not start it again before one of these is done.`,
    ...(finish.length > 0 ? [`To finish it, fix the cause and run:\n\n${lines(finish)}`] : []),
    `To revert it, run:\n\n${lines(takeBack)}`,
    ...(finish.length > 0
      ? [`To publish it when it is finished, run:\n\n${plan.afterwards.join(" &&\n")}`]
      : []),
  ].join("\n\n");
}

/** As a POSIX shell reads it. */
function shellLine(argv: readonly string[]): string {
  return argv
    .map((word) => (/^[\w./:=@~-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`))
    .join(" ");
}

/** Undefined if it is not a version, or not above the present one. A candidate's next number is the release itself. */
export function nextVersion(present: string, wanted: string): string | undefined {
  const now = parsed(present) ?? [0, 0, 0, RELEASED];
  const [major, minor, patch, candidate] = now;
  const isCandidate = candidate !== RELEASED;
  if (wanted === "rc") return isCandidate ? `${major}.${minor}.${patch}-rc.${candidate + 1}` : undefined;
  if (wanted === "major") return `${isCandidate && minor === 0 && patch === 0 ? major : major + 1}.0.0`;
  if (wanted === "minor") return `${major}.${isCandidate && patch === 0 ? minor : minor + 1}.0`;
  if (wanted === "patch") return `${major}.${minor}.${isCandidate ? patch : patch + 1}`;
  const asked = parsed(wanted);
  const differs = asked?.findIndex((number, at) => number !== now[at]) ?? -1;
  return asked !== undefined && differs >= 0 && (asked[differs] ?? 0) > (now[differs] ?? 0)
    ? wanted
    : undefined;
}

/** A release is above each of its candidates. */
const RELEASED = Number.POSITIVE_INFINITY;

function parsed(version: string): [number, number, number, number] | undefined {
  const found = /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-rc\.([1-9]\d*))?$/.exec(version);
  if (!found) return undefined;
  const [major, minor, patch, candidate] = found.slice(1);
  return [
    Number(major),
    Number(minor),
    Number(patch),
    candidate === undefined ? RELEASED : Number(candidate),
  ];
}

const UNRELEASED = "## [Unreleased]\n";
const BEFORE_YOU_UPGRADE = "### Before you upgrade";

/** The entries for the next release; undefined: there are none. */
function unreleased(changelog: string): string | undefined {
  const from = changelog.indexOf(UNRELEASED);
  if (from < 0) return undefined;
  const rest = changelog.slice(from + UNRELEASED.length);
  const notes = rest.split(/^## /m)[0]?.trim() ?? "";
  return /^- /m.test(notes) ? notes : undefined;
}

function releasedChangelog(changelog: string, version: string, date: string): string {
  return changelog.replace(UNRELEASED, () => `${UNRELEASED}\n## [${version}] - ${date}\n`);
}

/** The first version of a package.json, or both of a chart; a dependency's version is another line. */
function withVersion(text: string, version: string): string {
  return text
    .replace(/^( {2}"version": ")[^"]+"/m, (_all, before: string) => `${before}${version}"`)
    .replaceAll(/^((?:appV|v)ersion: ).+$/gm, (_all, before: string) => `${before}${version}`);
}
