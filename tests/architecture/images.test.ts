/** How the programs are started, and the dashboard's image: it holds Next's standalone server, and beside it only what starts that server: all of that has to be there. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { INTEGRITY, PNPM } from "../../scripts/bootstrap/pins.mjs";

const root = join(import.meta.dirname, "../..");
const read = (file: string): string => readFileSync(join(root, file), "utf8");

/** Workspace packages that a program imports by name. */
function importedPackages(source: string): string[] {
  return [...source.matchAll(/(?:from|import\()\s*"(@sluice\/[\w-]+)/g)]
    .map(([, name = ""]) => name)
    .toSorted();
}

it("a worker is started with the same heap everywhere, in tests and benchmarks too", () => {
  const starts = [
    "deploy/worker.Dockerfile",
    "deploy/archive/sluice",
    "scripts/start/programs.ts",
    "apps/worker/test/rig/worker-process.ts",
  ];
  const heaps = starts.map((file) => /--max-semi-space-size=\d+/.exec(read(file))?.[0]);
  expect(heaps).toEqual(starts.map(() => "--max-semi-space-size=16"));
});

describe("the dashboard's image", () => {
  const image = read("deploy/web.Dockerfile");
  const imported = [...new Set(importedPackages(read("apps/web/start.mjs")))];

  it("picks, installs and links each package that its start imports", () => {
    expect(imported).toContain("@sluice/config");
    for (const name of imported) {
      expect(image).toContain(`pick-packages.mjs ${name} /picked/start`);
      expect(image).toContain(`--filter "${name}..."`);
      expect(image).toMatch(new RegExp(`ln -s .*${name.replace("@sluice/", "../../packages/")}\\b`));
    }
  });

  it("is started by programs that import nothing else of the workspace", () => {
    for (const file of ["deploy/web-entry.mjs", "deploy/compile-web.mjs", "deploy/health.mjs"])
      expect(importedPackages(read(file))).toEqual([]);
  });
});

describe("an image", () => {
  it.each(["worker", "web"])("of the %s is built by the pnpm that is pinned with its integrity", (name) => {
    const image = read(`deploy/${name}.Dockerfile`);
    expect(image).toContain("RUN node deploy/bring-pnpm.mjs /toolchain /usr/local/bin/pnpm\n");
    expect(image).not.toMatch(/(?<!p)npm (install|i|exec)\b|npx|corepack/);
    for (const part of ["pnpm", "@pnpm/exe.linux-x64", "@pnpm/exe.linux-arm64"])
      expect(INTEGRITY[`${part}@${PNPM.version}`], part).toMatch(/^sha512-/);
  });
});
