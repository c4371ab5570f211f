/** docker-compose.prod.yml beside a Redis and a bucket of the operator, for recorders of two users, upgraded and back. */
import { ok, strictEqual as same } from "node:assert/strict";
import { appendFileSync, chmodSync, chownSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BaseImages } from "./base-images.ts";
import type { Claims } from "./claims.ts";
import { documentedCommands } from "./document-claims.ts";
import { mustRun, run, type Ran } from "./run-program.ts";
import type { Stack } from "./stack.ts";

const FILE = "docker-compose.prod.yml";
const NETWORK = "sluice-check-own";
const REDIS = "sluice-check-redis";
const STORE = "sluice-check-s3";
const WITHIN_MS = 300_000;

/** `development` runs beside it all the time, and `own` names other ports. */
export async function productionClaims(
  claims: Claims,
  development: Stack,
  own: Stack,
  images: BaseImages,
): Promise<void> {
  const inbox = join(own.directory, "prod-inbox");
  mkdirSync(inbox, { recursive: true });
  // The operator's Redis and store are on a network of this engine.
  const file = join(own.directory, FILE);
  appendFileSync(file, `\nnetworks: { default: { name: ${NETWORK}, external: true } }\n`);
  const said = async (uid: number, tag: string, command: string): Promise<Ran> =>
    await run(["bash", "-ec", command], {
      cwd: own.directory,
      env: {
        ...own.env,
        SLUICE_SOURCE: "studio-1",
        SLUICE_S3_BUCKET: "recordings",
        SLUICE_S3_ENDPOINT: "http://own-s3:7070",
        SLUICE_INBOX: inbox,
        SLUICE_TAG: tag,
        RECORDER_UID: String(uid),
        RECORDER_GID: String(uid),
      },
      withinMs: WITHIN_MS,
    });
  const production = async (uid: number, tag: string, command: string): Promise<string> => {
    const { code, out, all } = await said(uid, tag, command);
    same(code, 0, all);
    return out;
  };
  const [secrets, up, back, ...others] = documentedCommands(own.directory).production;
  ok(secrets && up && back && others.length === 0, "three commands for production are documented");
  const before = await development.container("worker");
  try {
    writeSecrets(own);
    await claims.holds(`docs/guides/operating.md: ${secrets}`, () => production(1_000, "1.0.0", secrets));
    await startOwn(own, images);
    await claims.holds(`production for a recorder of uid 1000 becomes healthy: ${up}`, async () => {
      chownSync(inbox, 1_000, 1_000);
      await production(1_000, "1.0.0", up);
    });
    await claims.holds(
      "upgraded by the same command, and for a recorder of uid 2000, it becomes healthy",
      async () => {
        chownSync(inbox, 2_000, 2_000);
        await production(2_000, "1.0.1", up);
      },
    );
    await claims.holds("a private file (mode 0600) of that user arrives in the bucket", async () => {
      const file = join(inbox, "private.bin");
      await mustRun(["sh", "-c", `head -c 9000000 /dev/urandom >'${file}'`]);
      chmodSync(file, 0o600);
      chownSync(file, 2_000, 2_000);
      await own.until(
        "it is in the bucket",
        async () => (await own.rclone("lsf", "s3:recordings")).split("\n").includes("private.bin"),
        120,
      );
    });
    await claims.holds(`going back to the earlier release builds nothing: ${back}`, async () => {
      await production(2_000, "1.0.0", back);
      const running = await production(2_000, "1.0.0", `docker compose -f ${FILE} ps --format "{{.Image}}"`);
      same(running.trim().split("\n").toSorted().join(" "), "sluice-web:1.0.0 sluice-worker:1.0.0");
    });
    await claims.holds("ending production leaves the development stack as it is", async () => {
      await production(2_000, "1.0.0", `docker compose -f ${FILE} down`);
      same(await development.container("worker"), before);
      same(await development.inspect("worker", "{{.State.Health.Status}}"), "healthy");
    });
  } finally {
    await said(1_000, "1.0.0", `docker compose -f ${FILE} down -v`);
    await own.docker(["rm", "-fv", REDIS, STORE]);
    await own.docker(["network", "rm", NETWORK]);
  }
}

/** As the head of the file names them. */
function writeSecrets(own: Stack): void {
  const secrets = {
    "redis-url": "redis://:pw@own-redis:6379\n",
    aws: "[default]\naws_access_key_id = sluice-local\naws_secret_access_key = sluice-local-secret\n",
    "web-password": "a-long-password\n",
  };
  mkdirSync(join(own.directory, "secrets"));
  for (const [name, text] of Object.entries(secrets))
    writeFileSync(join(own.directory, "secrets", name), text);
}

async function startOwn(own: Stack, images: BaseImages): Promise<void> {
  const start = async (name: string, alias: string, ...argv: string[]): Promise<void> => {
    const network = ["--network", NETWORK, "--network-alias", alias];
    const started = await own.docker(["run", "-d", "--name", name, ...network, ...argv]);
    same(started.code, 0, started.all);
  };
  const created = await own.docker(["network", "create", NETWORK]);
  same(created.code, 0, created.all);
  const redis = "valkey-server --requirepass pw --appendonly yes --maxmemory-policy noeviction";
  await start(REDIS, "own-redis", images.valkey, ...redis.split(" "));
  const settings = [
    "ROOT_ACCESS_KEY=sluice-local",
    "ROOT_SECRET_KEY=sluice-local-secret",
    "VGW_PORT=:7070",
    "VGW_REGION=us-east-1",
  ].flatMap((pair) => ["-e", pair]);
  const port = ["-p", `127.0.0.1:${own.ports.s3}:7070`, "-v", "/data"];
  await start(STORE, "own-s3", ...settings, ...port, images.versitygw, "posix", "/data");
  await own.until(
    "the own bucket can be created",
    async () =>
      await own.rclone("mkdir", "s3:recordings").then(
        () => true,
        () => false,
      ),
    60,
  );
  ok((await own.rclone("lsf", "s3:")).includes("recordings/"));
}
