/** The pinned versions of worker, dashboard and stack, and their newer releases: facts in, lines out. */

export type Source = "npm" | "image";

export interface Pin {
  /** `pnpm`, `docker.io/valkey/valkey`. */
  readonly name: string;
  /** `9.0.7`; of an image its whole tag, `24.22.3-bookworm-slim`. */
  readonly version: string;
  readonly source: Source;
  /** The files that name it. */
  readonly where: readonly string[];
}

/** A release as listed by Node: https://nodejs.org/dist/index.json. */
export interface NodeRelease {
  readonly version: string;
  readonly security: boolean;
}

export interface Finding {
  readonly pin: Pin;
  /** The newest of the same major version, if that is newer. */
  readonly newer: string | undefined;
  /** Security releases in between; undefined if that is unknown. */
  readonly security: readonly string[] | undefined;
  /** The package that has no such release yet. */
  readonly heldBy?: string;
}

/** Packages that only work with equal versions: none is raised before each of them has the release. */
export const ON_ONE_VERSION = [
  ["@trpc/client", "@trpc/server", "@trpc/tanstack-react-query"],
  ["react", "react-dom"],
] as const;

const IMAGE = /^(?:\s*image:\s*|FROM\s+)((?:[\w.-]+\/)*[\w.-]+):(v?\d[\w.-]*)/gm;

/** From Dockerfiles and compose files; our own images have variables for tags and are left out. */
export function pinsOf(files: readonly { readonly path: string; readonly text: string }[]): Pin[] {
  const pins = new Map<string, Pin>();
  for (const { path, text } of files)
    for (const [, found = "", version = ""] of text.matchAll(IMAGE)) {
      const name = fullName(found);
      const id = `${name}:${version}`;
      const where = [...(pins.get(id)?.where ?? []), path];
      pins.set(id, { name, version, source: "image", where: [...new Set(where)] });
    }
  return [...pins.values()];
}

/** With the default registry and namespace that an engine adds. */
function fullName(name: string): string {
  const [first = "", ...rest] = name.split("/");
  if (rest.length === 0) return `docker.io/library/${first}`;
  return first.includes(".") || first === "localhost" ? name : `docker.io/${name}`;
}

interface Version {
  readonly numbers: readonly [number, number, number];
  /** The suffix: `-bookworm-slim`. */
  readonly rest: string;
}

function parse(text: string): Version | undefined {
  const [, major, minor, patch, rest = ""] = /^v?(\d+)\.(\d+)\.(\d+)(.*)$/.exec(text) ?? [];
  if (major === undefined || minor === undefined || patch === undefined) return undefined;
  return { numbers: [Number(major), Number(minor), Number(patch)], rest };
}

function compare({ numbers: a }: Version, { numbers: b }: Version): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}

/** The newest of the same kind (suffix) and the same major version; undefined: this one is. */
export function newest(version: string, available: readonly string[]): string | undefined {
  const pinned = parse(version);
  if (!pinned) return undefined;
  const newer = available.filter((each) => {
    const other = parse(each);
    if (!other || other.rest !== pinned.rest || each.startsWith("v") !== version.startsWith("v"))
      return false;
    return other.numbers[0] === pinned.numbers[0] && compare(other, pinned) > 0;
  });
  return newer.toSorted((a, b) => compare(parse(a) as Version, parse(b) as Version)).at(-1);
}

/** Security releases of Node of the pinned major version that are newer than it. */
export function nodeSecurity(version: string, releases: readonly NodeRelease[]): string[] {
  const pinned = parse(version);
  if (!pinned) return [];
  return releases.flatMap(({ version: each, security }) => {
    const other = parse(each);
    if (!security || !other || other.numbers[0] !== pinned.numbers[0]) return [];
    return compare(other, pinned) > 0 ? [each.replace(/^v/, "")] : [];
  });
}

/** Undefined if all siblings of the package have the release. */
export function heldBy(
  name: string,
  newer: string,
  offered: (sibling: string) => readonly string[],
): string | undefined {
  const group = ON_ONE_VERSION.find((names) => names.some((each) => each === name)) ?? [];
  return group.find((sibling) => sibling !== name && !offered(sibling).includes(newer));
}

/** What needs attention first. */
export function report(findings: readonly Finding[], notAsked: readonly string[]): string[] {
  const line = ({ pin, newer, security, heldBy: holder }: Finding): string => {
    const word = isUrgent({ security }) ? "SECURITY" : "newer";
    const since = isUrgent({ security }) ? ` (security releases: ${security?.join(", ")})` : "";
    const held = holder === undefined ? "" : ` (waits: ${holder} has no such release)`;
    return `${word}  ${pin.name} ${pin.version} → ${newer ?? "?"}${since}${held}  in ${pin.where.join(", ")}`;
  };
  const worth = findings.filter((each) => each.newer !== undefined || isUrgent(each));
  const lines = worth
    .toSorted((a, b) => Number(isUrgent(b)) - Number(isUrgent(a)) || (a.pin.name < b.pin.name ? -1 : 1))
    .map(line);
  return [
    ...lines,
    ...notAsked.map((each) => `not asked: ${each}`),
    `${findings.length} pins asked about, ${worth.length} with newer releases, ${worth.filter(isUrgent).length} with security releases`,
  ];
}

export function isUrgent({ security }: Pick<Finding, "security">): boolean {
  return security !== undefined && security.length > 0;
}
