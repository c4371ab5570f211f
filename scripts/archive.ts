/**
 * `npm run archive [-- --out <directory>]`: worker, command line and dashboard with the Node that runs them, as one file for
 * a Linux machine without anything else: `sluice-<version>-linux-<x64|arm64>.tar.gz`, and its SHA-256 beside it. Dependencies
 * come from the lockfile, those of production only. One commit gives the same bytes each time.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { NODE_BINARIES } from "./bootstrap/pins.mjs";
import { bring, bringToolchain } from "./bootstrap/toolchain.mjs";

const root = join(import.meta.dirname, "..");
const EXIT_REFUSED = 1;
const WORKSPACE_FILES = [
  "package.json",
  "pnpm-workspace.yaml",
  "pnpm-lock.yaml",
  ".npmrc",
  "tsconfig.base.json",
];
/** What a person on that machine may need; files that only contributors read stay out. */
const PAGES = ["docs/guides", "docs/reference", "CHANGELOG.md", "SECURITY.md", "LICENSE"];

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { out: { type: "string", default: root } } });
  const platform = `${process.platform}-${process.arch}`;
  const node = NODE_BINARIES[platform];
  if (process.platform !== "linux" || node === undefined) {
    console.error(
      `archives are made on Linux, x64 or arm64, for the machine's own kind; this is ${platform}`,
    );
    return EXIT_REFUSED;
  }
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  const name = `sluice-${version}-${platform}`;
  const home = mkdtempSync(join(tmpdir(), "sluice-archive-"));
  try {
    const stage = join(home, name);
    const toolchain = await bringToolchain(join(root, ".sluice"));
    bringProgram(stage, toolchain);
    bringDashboard(stage);
    const nodePackage = await bring(join(root, ".sluice"), node, toolchain.env);
    mkdirSync(join(stage, "node/bin"), { recursive: true });
    cpSync(join(nodePackage, "bin/node"), join(stage, "node/bin/node"));
    cpSync(join(nodePackage, "LICENSE"), join(stage, "node/LICENSE"));
    bringInstaller(stage, { version, platform: `${platform}, Node ${node.version}` });
    console.log(pack(home, name, resolve(values.out)));
    return 0;
  } finally {
    rmSync(home, { recursive: true });
  }
}

/** The worker's sources, which Node runs as they are, and what they depend on. */
function bringProgram(
  stage: string,
  { node, pnpmScript, env }: Awaited<ReturnType<typeof bringToolchain>>,
): void {
  const picked = join(dirname(stage), "picked");
  execFileSync(process.execPath, [join(root, "deploy/pick-packages.mjs"), "@sluice/worker", picked], {
    cwd: root,
    stdio: "pipe",
  });
  for (const file of WORKSPACE_FILES) cpSync(join(root, file), join(stage, file));
  cpSync(join(picked, "manifests"), stage, { recursive: true });
  execFileSync(
    node,
    [
      pnpmScript,
      "install",
      "--prod",
      "--frozen-lockfile",
      "--ignore-scripts",
      "--filter",
      "@sluice/worker...",
    ],
    { cwd: stage, env: { ...env, CI: "true" }, stdio: "pipe" },
  );
  cpSync(join(picked, "sources"), stage, { recursive: true });
  rmSync(picked, { recursive: true });
  // Names the directory it was installed in; nothing is installed again.
  for (const file of [".modules.yaml", ".pnpm-workspace-state-v1.json", ".pnpm/lock.yaml"])
    rmSync(join(stage, "node_modules", file), { force: true });
}

/** Next's standalone server, which was built before, and what starts it. */
function bringDashboard(stage: string): void {
  const web = join(stage, "apps/web");
  mkdirSync(web, { recursive: true });
  for (const file of ["package.json", "start.mjs"]) cpSync(join(root, "apps/web", file), join(web, file));
  const standalone = join(web, ".next/standalone");
  cpSync(join(root, "apps/web/.next/standalone"), standalone, { recursive: true, verbatimSymlinks: true });
  rmSync(join(standalone, "apps/web/.next/static"), { recursive: true, force: true });
  cpSync(join(root, "apps/web/.next/static"), join(standalone, "apps/web/.next/static"), { recursive: true });
  // What start.mjs imports are packages of the worker too.
  mkdirSync(join(web, "node_modules"));
  symlinkSync("../../worker/node_modules/@sluice", join(web, "node_modules/@sluice"));
}

function bringInstaller(stage: string, { version, platform }: { version: string; platform: string }): void {
  mkdirSync(join(stage, "bin"));
  cpSync(join(root, "deploy/archive/sluice"), join(stage, "bin/sluice"));
  for (const file of ["install", "sluice.example.yaml"])
    cpSync(join(root, "deploy/archive", file), join(stage, file));
  for (const file of ["bin/sluice", "install"]) chmodSync(join(stage, file), 0o755);
  cpSync(join(root, "deploy/systemd"), join(stage, "systemd"), { recursive: true });
  for (const page of PAGES) cpSync(join(root, page), join(stage, page), { recursive: true });
  writeFileSync(join(stage, "VERSION"), `${version}\n`);
  writeFileSync(join(stage, "PLATFORM"), `${platform}\n`);
}

/** The file's path. Order, owners and times are fixed, so that equal contents are equal bytes. */
function pack(home: string, name: string, out: string): string {
  mkdirSync(out, { recursive: true });
  const file = join(out, `${name}.tar.gz`);
  const committed = execFileSync("git", ["log", "-1", "--format=%ct"], {
    cwd: root,
    encoding: "utf8",
  }).trim();
  const fixed = ["--sort=name", `--mtime=@${committed}`, "--owner=0", "--group=0", "--numeric-owner"];
  execFileSync("tar", [...fixed, "--use-compress-program=gzip -n", "-cf", file, name], { cwd: home });
  const digest = createHash("sha256").update(readFileSync(file)).digest("hex");
  writeFileSync(`${file}.sha256`, `${digest}  ${basename(file)}\n`);
  return file;
}

process.exitCode = await main();
