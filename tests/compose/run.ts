/**
 * `npm run test:compose`: the compose files on a real Docker engine, from a fresh clone of the last commit, as an operator
 * uses them: seven minutes, four where the images are kept from an earlier run. `--faults` adds each fault in the middle of
 * a large file, about six minutes more, by night; log.txt is what such a run said last.
 */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { freePort } from "../../packages/redis-schema/test/free-port.ts";
import { baseImages, bringBaseImages } from "./base-images.ts";
import { CannotContinue, Claims } from "./claims.ts";
import { documentClaims } from "./document-claims.ts";
import { bringEngine, startEngine } from "./engine.ts";
import { faultClaims } from "./fault-claims.ts";
import { balanceClaims, dashboardClaims, fileClaims, growingClaims } from "./file-claims.ts";
import { productionClaims } from "./production-claims.ts";
import { heedSignals, mustRun } from "./run-program.ts";
import { endClaims, stackClaims } from "./stack-claims.ts";
import { Stack, type Ports } from "./stack.ts";

const root = join(import.meta.dirname, "../..");

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { faults: { type: "boolean", default: false } } });
  const reason = await bringEngine();
  if (reason !== undefined) {
    console.error(reason);
    console.log(`\n0 passed, ${process.env["CI"] === "true" ? 1 : 0} failed`);
    return process.env["CI"] === "true" ? 1 : 0;
  }
  heedSignals();
  const from = performance.now();
  let tested = "";
  const claims = new Claims();
  const home = mkdtempSync(join(tmpdir(), "sluice-compose-"));
  // The recorder's user has to get at the inbox in it.
  chmodSync(home, 0o755);
  try {
    await using engine = await startEngine();
    tested = await whatIsTested(engine.env);
    const images = baseImages(root);
    if (engine.isOwn)
      await claims.must("stand-ins of the base images are there", () => bringBaseImages(images, engine.env));
    const clone = join(home, "sluice");
    await mustRun(["git", "clone", "-q", root, clone]);
    await using stack = new Stack(join(home, "development"), clone, await freePorts(), engine.env);
    await stackClaims(claims, stack);
    await documentClaims(claims, stack);
    await growingClaims(claims, stack, images.node);
    await fileClaims(claims, stack);
    // Before the faults: one of them loses the history that it looks at.
    await dashboardClaims(claims, stack);
    if (values.faults) await faultClaims(claims, stack);
    await balanceClaims(claims, stack);
    const own = new Stack(join(home, "production"), clone, await freePorts(), engine.env);
    await productionClaims(claims, stack, own, images);
    await endClaims(claims, stack);
  } catch (error) {
    if (!(error instanceof CannotContinue)) throw error;
    console.error(error.message);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
  claims.sum();
  if (values.faults) keepLog(claims, tested, performance.now() - from);
  return claims.failed === 0 ? 0 : 1;
}

async function freePorts(): Promise<Ports> {
  return { dashboard: await freePort(), worker: await freePort(), s3: await freePort() };
}

/** The commit that is cloned, and with what it is judged: suite and settings are taken from the checkout. */
async function whatIsTested(env: NodeJS.ProcessEnv): Promise<string> {
  const said = async (...argv: string[]): Promise<string> => (await mustRun(argv, { cwd: root, env })).trim();
  const commit = await said("git", "rev-parse", "--short", "HEAD");
  const changed = (await said("git", "status", "--porcelain")) === "" ? "" : ", with changes";
  const engine = await said("docker", "version", "--format", "{{.Server.Version}}");
  const compose = await said("docker", "compose", "version", "--short");
  return `commit ${commit}${changed}\nDocker ${engine}, Compose ${compose}, Node ${process.version}`;
}

function keepLog(claims: Claims, tested: string, tookMs: number): void {
  const heading = `npm run test:compose -- --faults, ${new Date().toISOString()}, ${tested}, ${Math.round(tookMs / 1_000)} s`;
  writeFileSync(join(import.meta.dirname, "log.txt"), `${heading}\n\n${claims.lines.join("\n")}\n`);
}

process.exitCode = await main();
