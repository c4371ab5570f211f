/**
 * `npm run test:compose`: both Dockerfiles are built and run as root on Linux, with a real Redis and VersityGW beside
 * them. It takes minutes and needs buildah and debootstrap, so it is run by hand; log.txt is what it said last.
 */
import { execFileSync } from "node:child_process";
import { chownSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startRedis } from "../../packages/redis-schema/test/redis-server.ts";
import { bringGoProgram, VERSITYGW } from "../stores/programs.ts";
import { freePort } from "../stores/servers/store-server.ts";
import { startVersityGw } from "../stores/servers/versitygw.ts";
import { startWitness } from "../stores/rig/witness.ts";
import { Claims } from "./claims.ts";
import { NODE_UID } from "./container.ts";
import { baseImage, bringBase, build } from "./image.ts";
import { webClaims } from "./web-claims.ts";
import { workerClaims } from "./worker-claims.ts";

const root = join(import.meta.dirname, "../..");
const PROGRAMS = ["buildah", "debootstrap", "unshare", "nsenter", "redis-server"];

async function main(): Promise<number> {
  const missing = PROGRAMS.filter((program) => !onPath(program));
  if (missing.length > 0 || process.getuid?.() !== 0) {
    console.error(
      `run as root, with ${PROGRAMS.join(", ")}: apt-get install --no-install-recommends buildah debootstrap`,
    );
    return 1;
  }
  const noStore = await bringGoProgram(VERSITYGW);
  if (noStore !== undefined) throw new Error(noStore);

  const claims = new Claims();
  const worker = join(root, "deploy/worker.Dockerfile");
  const web = join(root, "deploy/web.Dockerfile");
  await claims.holds("one exact base image is named by both Dockerfiles", () => {
    if (baseImage(worker) !== baseImage(web)) throw new Error(`${baseImage(worker)}, ${baseImage(web)}`);
    return bringBase(baseImage(worker));
  });
  const workerImage = await claims.holds("the worker's image builds", () =>
    build(root, worker, "localhost/sluice-worker"),
  );
  const webImage = await claims.holds("the dashboard's image builds", () =>
    build(root, web, "localhost/sluice-web"),
  );

  await using redis = await startRedis({ appendonly: true, args: ["--maxmemory-policy", "noeviction"] });
  await using store = await startVersityGw();
  await using witness = await startWitness(store.endpoint);
  const home = mkdtempSync(join(tmpdir(), "sluice-containers-"));
  chownSync(home, NODE_UID, NODE_UID);
  try {
    const beside = {
      home,
      redisUrl: redis.url,
      redisPort: redis.port,
      store,
      witness,
      port: await freePort(),
    };
    if (workerImage) await workerClaims(claims, workerImage, beside);
    if (webImage) await webClaims(claims, webImage, { ...beside, port: await freePort() });
  } finally {
    rmSync(home, { recursive: true, force: true });
    await workerImage?.remove();
    await webImage?.remove();
  }
  claims.sum();
  writeFileSync(join(import.meta.dirname, "log.txt"), `${heading()}\n\n${claims.lines.join("\n")}\n`);
  return claims.failed === 0 ? 0 : 1;
}

/** When, at which commit and with what. */
function heading(): string {
  const said = (program: string, ...args: string[]) =>
    execFileSync(program, args, { cwd: root, encoding: "utf8" }).trim();
  const commit = said("git", "rev-parse", "--short", "HEAD");
  const changed = said("git", "status", "--porcelain") === "" ? "" : ", with changes";
  return [
    `npm run test:compose, ${new Date().toISOString()}, commit ${commit}${changed}`,
    `Node ${process.version}, ${said("buildah", "--version")}, Linux on ${process.arch}`,
  ].join("\n");
}

function onPath(program: string): boolean {
  return (process.env["PATH"] ?? "").split(":").some((dir) => existsSync(join(dir, program)));
}

process.exitCode = await main();
