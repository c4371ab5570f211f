/**
 * `npm run test:rules`: semgrep reads the sources of the product by our own rules, rules.yml. It comes from PyPI at the versions
 * of requirements.txt and is kept under .sluice; nothing is asked or sent while it reads. The last line is
 * `N passed, N failed`: one for the sources, and two for each rule: in the product, and in its samples.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { SAMPLES } from "./samples.ts";

const root = join(import.meta.dirname, "../..");
const RULES = join(import.meta.dirname, "rules.yml");
const REQUIREMENTS = join(import.meta.dirname, "requirements.txt");
/** Sources that run in a user's installation; tests and their tools are not among them. */
const PRODUCT = ["apps", "packages", "deploy"];
const NOT_PRODUCT = ["*.test.ts", "*.test.tsx", "test", "testing", "scripts", "node_modules", ".next"];

/** Fewer means that the wrong directory was read. */
const LEAST_SOURCES = 400;

interface Finding {
  check_id: string;
  path: string;
  start: { line: number };
  extra: { message: string };
}

/** The program, brought once. */
function bringSemgrep(): string {
  const edition = createHash("sha256").update(readFileSync(REQUIREMENTS)).digest("hex").slice(0, 12);
  const home = join(root, ".sluice/rules", edition);
  const program = join(home, "bin/semgrep");
  const isWhole = join(home, "whole");
  if (existsSync(isWhole)) return program;
  console.log("bringing semgrep from PyPI, once (390 MB)");
  rmSync(home, { recursive: true, force: true });
  mkdirSync(home, { recursive: true });
  execFileSync("python3", ["-m", "venv", home], { stdio: "inherit" });
  const options = [
    "install",
    "--quiet",
    "--disable-pip-version-check",
    "--no-deps",
    "--only-binary",
    ":all:",
  ];
  execFileSync(join(home, "bin/pip"), [...options, "--requirement", REQUIREMENTS], { stdio: "inherit" });
  writeFileSync(isWhole, "");
  return program;
}

function findings(
  program: string,
  directory: string,
  paths: readonly string[],
): { results: Finding[]; paths: { scanned: string[] } } {
  const asked = ["scan", "--config", RULES, "--metrics", "off", "--disable-version-check", "--no-git-ignore"];
  const excluded = NOT_PRODUCT.flatMap((pattern) => ["--exclude", pattern]);
  const { stdout, stderr, status } = spawnSync(
    program,
    [...asked, "--quiet", "--json", ...excluded, ...paths],
    {
      cwd: directory,
      encoding: "utf8",
      maxBuffer: 64 * 1024 * 1024,
      env: { ...process.env, PATH: `${join(program, "..")}:${process.env["PATH"] ?? ""}` },
    },
  );
  if (status !== 0)
    throw new Error(`semgrep ended with ${String(status)}: ${stderr || stdout.slice(0, 2_000)}`);
  return JSON.parse(stdout) as ReturnType<typeof findings>;
}

const ruleOf = ({ check_id: id }: Finding): string => id.split(".").at(-1) ?? id;

/** The rules that find what they must not, or miss what they must find. */
function wrongSamples(program: string): Set<string> {
  const directory = mkdtempSync(join(tmpdir(), "sluice-rules-"));
  try {
    for (const [rule, { breaks, holds }] of Object.entries(SAMPLES)) {
      writeFileSync(join(directory, `${rule}.breaks.ts`), `${breaks}\n`);
      writeFileSync(join(directory, `${rule}.holds.ts`), `${holds}\n`);
    }
    const found = new Set(
      findings(program, directory, ["."]).results.map((finding) => `${ruleOf(finding)} ${finding.path}`),
    );
    const isFound = (rule: string, kind: string) => found.has(`${rule} ${rule}.${kind}.ts`);
    return new Set(Object.keys(SAMPLES).filter((rule) => !isFound(rule, "breaks") || isFound(rule, "holds")));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function main(): number {
  const rules = [...readFileSync(RULES, "utf8").matchAll(/^ {2}- id: (\S+)$/gm)].map(([, id = ""]) => id);
  const program = bringSemgrep();
  const wrong = wrongSamples(program);
  const { results: found, paths } = findings(program, root, PRODUCT);
  let failed = 0;
  const claim = (holds: boolean, words: string, more: readonly string[] = []): void => {
    if (!holds) failed += 1;
    console.log(holds ? `✓ ${words}` : [`FAILED ${words}`, ...more].join("\n    "));
  };
  claim(paths.scanned.length > LEAST_SOURCES, `${paths.scanned.length} sources were read`);
  for (const rule of rules) {
    const own = found.filter((finding) => ruleOf(finding) === rule);
    const where = own.map(
      ({ path, start, extra }) => `${relative(".", path)}:${start.line} ${extra.message}`,
    );
    claim(own.length === 0, `${rule}: no source breaks it`, where);
    claim(rule in SAMPLES && !wrong.has(rule), `${rule}: finds what breaks it, and nothing else`);
  }
  console.log(`${rules.length * 2 + 1 - failed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

process.exitCode = main();
