/**
 * `docs/dependencies.md`, made from the packages as they are installed: reason, licence, version, weight on disk; and from
 * the registry, which is asked once for each of them: when it was last released.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync, realpathSync, statSync } from "node:fs";
import { join } from "node:path";
import { REASONS } from "./reasons.ts";

const root = join(import.meta.dirname, "../..");
const WORKSPACES = [
  "apps/web",
  "apps/worker",
  "packages/config",
  "packages/control",
  "packages/core",
  "packages/local-s3",
  "packages/redis-schema",
  "packages/s3-store",
];

interface Manifest {
  version?: string;
  license?: string;
  dependencies?: Record<string, string>;
}

/** Name → the workspaces that use it at run time, without our own packages. */
export function runtimeDependencies(): Map<string, string[]> {
  const users = new Map<string, string[]>();
  for (const workspace of WORKSPACES) {
    const names = Object.keys(manifest(join(root, workspace)).dependencies ?? {});
    for (const name of names)
      if (!name.startsWith("@sluice/")) users.set(name, [...(users.get(name) ?? []), workspace]);
  }
  return new Map([...users].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

export function dependenciesPage(): string {
  const rows = [...runtimeDependencies()].map(([name, users]) => {
    const folder = realpathSync(join(root, users[0] ?? "", "node_modules", name));
    const { version = "", license = "" } = manifest(folder);
    const weight = kib(bytesOf(folder));
    const reason = REASONS[name] ?? "";
    return [`\`${name}\``, version, lastRelease(name), license, weight, users.join(", "), reason];
  });
  const head = ["package", "version", "last release", "licence", "size", "used by", "reason"];
  return [
    "# Dependencies",
    "",
    "<!-- Made by `pnpm docs:dependencies`. Do not edit. -->",
    "",
    "Direct dependencies at run time. Sizes are of the package itself, as installed, without what it brings along. *Last",
    "release* is the day of the package's newest version when this page was made. `npm run sbom` writes down everything worker",
    "and dashboard are made of, with versions and licences, as CycloneDX; `pnpm audit --prod` asks the registry for advisories.",
    "Where this page was made the registry did not answer that question (405), so nothing is claimed about it.",
    "",
    ...[head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`),
    "",
  ].join("\n");
}

function lastRelease(name: string): string {
  const said = execFileSync("npm", ["view", name, "time", "--json"], { encoding: "utf8" });
  const { created: _, modified: __, ...versions } = JSON.parse(said) as Record<string, string>;
  return Object.values(versions).toSorted().at(-1)?.slice(0, 10) ?? "";
}

function manifest(folder: string): Manifest {
  const path = join(folder, "package.json");
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as Manifest) : {};
}

function bytesOf(folder: string): number {
  let bytes = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && entry.name !== "node_modules") bytes += bytesOf(path);
    else if (entry.isFile()) bytes += statSync(path).size;
  }
  return bytes;
}

function kib(bytes: number): string {
  return `${Math.ceil(bytes / 1024).toLocaleString("en")} KiB`;
}
