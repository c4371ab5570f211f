/**
 * `npm run pins`: which pinned versions have newer releases, and which of these are security releases: the toolchain,
 * the packages of the catalog, the images of Dockerfiles and compose files. Changes nothing, and reports what could not
 * be checked. Exit code 1 if a security release is known, 69 if something could not be checked, otherwise 0.
 */
import { execFile } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { NODE_BINARIES, PNPM } from "./bootstrap/pins.mjs";
import { bringToolchain } from "./bootstrap/toolchain.mjs";
import {
  heldBy,
  isUrgent,
  newest,
  nodeSecurity,
  pinsOf,
  report,
  type Finding,
  type Pin,
} from "./pins/pins.ts";
import { imageTags, nodeReleases, npmVersions } from "./pins/registries.ts";

const EXIT_SECURITY = 1;
const EXIT_NOT_ASKED = 69;
const WITHIN_MS = 120_000;
const run = promisify(execFile);
const root = join(import.meta.dirname, "..");

async function main(): Promise<number> {
  const notAsked: string[] = [];
  const orNot = async <T>(what: string, asked: Promise<T>): Promise<T | undefined> => {
    try {
      return await asked;
    } catch (error) {
      notAsked.push(`${what}: ${(error as Error).message.trim().split("\n").at(-1)}`);
      return undefined;
    }
  };
  const releases = await orNot("which releases of Node are security releases", nodeReleases());
  const one = async (pin: Pin): Promise<Finding | undefined> => {
    const asked = pin.source === "npm" ? npmVersions(pin.name) : imageTags(pin.name);
    const available = await orNot(`${pin.name} ${pin.version}`, asked);
    const security = isNode(pin) && releases ? nodeSecurity(pin.version, releases) : undefined;
    if (available === undefined && security === undefined) return undefined;
    return { pin, newer: newest(pin.version, available ?? []), security };
  };
  const files = globSync(["deploy/*.Dockerfile", "docker-compose*.yml"], { cwd: root }).map((path) => ({
    path,
    text: readFileSync(join(root, path), "utf8"),
  }));
  const toolchain = [PNPM, ...Object.values(NODE_BINARIES)].map(({ name, version }): Pin => ({
    name,
    version,
    source: "npm",
    where: ["scripts/bootstrap/pins.mjs"],
  }));
  const asked = await Promise.all([...pinsOf(files), ...toolchain].map(one));
  const catalog = (await orNot("the packages of the catalog", catalogFindings())) ?? [];
  const findings = [...asked.filter((each) => each !== undefined), ...catalog];
  const advisories = await orNot("advisories about packages", askAdvisories());
  if (advisories) console.log(advisories);
  console.log(report(findings, notAsked).join("\n"));
  if (findings.some(isUrgent) || advisories) return EXIT_SECURITY;
  return notAsked.length > 0 ? EXIT_NOT_ASKED : 0;
}

function isNode({ name }: Pin): boolean {
  return name === "docker.io/library/node" || /^node-(bin-)?(linux|darwin)-/.test(name);
}

/** pnpm compares all packages of the workspace with the registry at once. */
async function catalogFindings(): Promise<Finding[]> {
  const { stdout } = await pnpm("outdated", "--recursive", "--format", "json");
  const listed = JSON.parse(stdout) as Record<string, { current?: string; latest?: string }>;
  const latest = new Map<string, { current: string; latest: string }>();
  for (const [id, { current = "", latest: offered = "" }] of Object.entries(listed)) {
    // If a package is used in two ways, its version and use are added to its name.
    latest.set(id.replace(/(?<=.)@.*$/, ""), { current, latest: offered });
  }
  return [...catalogPins()].map((pin): Finding => {
    const newer = newest(pin.version, [latest.get(pin.name)?.latest ?? pin.version]);
    const offered = (sibling: string): string[] => [latest.get(sibling)?.latest ?? ""];
    const holder = newer === undefined ? undefined : heldBy(pin.name, newer, offered);
    return { pin, newer, security: undefined, ...(holder === undefined ? {} : { heldBy: holder }) };
  });
}

function catalogPins(): Pin[] {
  const [, catalog = ""] = readFileSync(join(root, "pnpm-workspace.yaml"), "utf8").split("\ncatalog:\n");
  return [...catalog.matchAll(/^ {2}"([^"]+)": (\S+)$/gm)].map(([, name = "", version = ""]) => ({
    name,
    version,
    source: "npm",
    where: ["pnpm-workspace.yaml"],
  }));
}

/** Known advisories about the packages used at run time; undefined: none. */
async function askAdvisories(): Promise<string | undefined> {
  const { stdout, stderr, code } = await pnpm("audit", "--prod");
  if (code === 0) return undefined;
  if (!/vulnerabilit/i.test(stdout))
    throw new Error(`pnpm audit: ${(stderr || stdout).replaceAll(/\s+/g, " ")}`);
  return stdout;
}

/** Both commands end with 1 when they found something. */
async function pnpm(...argv: string[]): Promise<{ stdout: string; stderr: string; code: number }> {
  const { node, pnpmScript, env } = await bringToolchain(join(root, ".sluice"));
  try {
    const { stdout, stderr } = await run(node, [pnpmScript, ...argv], { cwd: root, env, timeout: WITHIN_MS });
    return { stdout, stderr, code: 0 };
  } catch (error) {
    const { stdout = "", stderr = "", code } = error as { stdout?: string; stderr?: string; code?: unknown };
    if (typeof code !== "number") throw error;
    return { stdout, stderr, code };
  }
}

process.exitCode = await main();
