/** The worker's image at work: file → object, killed, recreated elsewhere, stopped. */
import { deepStrictEqual as same, ok } from "node:assert/strict";
import { chownSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Bucket } from "../../apps/worker/test/rig/bucket.ts";
import { GrowingFile } from "../../apps/worker/test/rig/growing-file.ts";
import { Records } from "../../apps/worker/test/rig/records.ts";
import { until } from "../../apps/worker/test/rig/until.ts";
import type { StoreServer } from "../stores/servers/store-server.ts";
import type { Witness } from "../stores/rig/witness.ts";
import type { Claims } from "./claims.ts";
import { Container, NODE_UID } from "./container.ts";
import type { Image } from "./image.ts";

export interface Beside {
  home: string;
  redisUrl: string;
  redisPort: number;
  store: StoreServer;
  witness: Witness;
  /** Free, for the container's own server. */
  port: number;
}

const MIB = 1024 ** 2;
const PART = 5 * MIB;
const SOURCE = "volume-1";
const BUCKET = "recordings";
const EXIT_BAD_CONFIG = 78;

export async function workerClaims(claims: Claims, image: Image, beside: Beside): Promise<void> {
  const inbox = join(beside.home, "inbox");
  mkdirSync(inbox);
  chownSync(inbox, NODE_UID, NODE_UID);
  const { accessKeyId, secretAccessKey, endpoint } = beside.store;
  const env = {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    SLUICE_REDIS_URL: beside.redisUrl,
    SLUICE_WATCH: "/inbox",
    SLUICE_S3_ENDPOINT: beside.witness.url,
    SLUICE_S3_REGION: "us-east-1",
    SLUICE_S3_BUCKET: BUCKET,
    SLUICE_S3_CREATE_BUCKET: "true",
    SLUICE_PART_SIZE: "5MiB",
    // The writer is in another PID namespace and pauses at will: a marker alone says that the file is complete.
    SLUICE_IDLE_TIMEOUT: "10m",
    SLUICE_RESCAN_INTERVAL: "1s",
    SLUICE_HTTP_PORT: String(beside.port),
  };
  const start = (hostname: string, source = SOURCE) =>
    new Container(image, {
      hostname,
      env: { ...env, ...(source && { SLUICE_SOURCE: source }), container: "oci" },
      volumes: { [inbox]: "/inbox" },
    });
  const bucket = new Bucket({ endpoint, bucket: BUCKET, accessKeyId, secretAccessKey });
  using records = new Records(beside.redisPort, SOURCE);
  const completed = async (name: string) =>
    await until(`${name} is completed`, async () => await records.done(`/inbox/${name}`));
  const identical = async (name: string) => {
    const local = readFileSync(join(inbox, name));
    const pieces: Buffer[] = [];
    for await (const piece of bucket.read(name, local.length)) pieces.push(piece);
    ok(local.equals(Buffer.concat(pieces)), `${name} differs`);
  };

  await claims.holds("the image runs as node, and holds no tools of development", () => {
    same(image.user, "node");
    const modules = ["typescript", "vitest", "oxlint", "next", "aws4"];
    same(
      modules.filter((name) => existsSync(join(image.root, "sluice/apps/worker/node_modules", name))),
      [],
    );
    same(
      modules.filter((name) => existsSync(join(image.root, "sluice/node_modules", name))),
      [],
    );
  });
  await claims.holds(
    "without SLUICE_SOURCE the worker refuses to start in a container, with 78",
    async () => {
      await using container = start("host-0", "");
      same(await container.exited, EXIT_BAD_CONFIG);
      ok(container.output.includes("SLUICE_SOURCE"), container.output);
    },
  );

  const take = await GrowingFile.open(join(inbox, "take.mxf"));
  await using first = start("host-a");
  await claims.holds(
    "X16: it starts as PID 1 on a read-only root, without root and without capabilities",
    async () => {
      await first.said("interrupted streams resumed");
      same(first.status("NSpid").split("\t").at(-1), "1");
      same(first.status("Uid").split("\t")[0], String(NODE_UID));
      same(first.status("CapEff"), "0000000000000000");
      const write = first.exec("node", "-e", "fs.writeFileSync('/sluice/x','')");
      ok(write.output.includes("EROFS") || write.output.includes("EACCES"), write.output);
      ok(
        first.exec("node", "-e", "fs.writeFileSync('/etc/x','')").output.match(/EROFS/),
        "the root is not read-only",
      );
    },
  );
  await claims.holds("healthcheck says 0 while it is at work", () => {
    const health = first.exec("node", "/sluice/apps/worker/src/main.mjs", "healthcheck", "--ready");
    same(health.code, 0, health.output);
  });
  const id = await claims.holds("a growing file goes up part by part", async () => {
    await take.append(2 * PART + 100_000);
    const stream = await until("two parts are in S3", async () => {
      const live = await records.live("/inbox/take.mxf");
      return live?.["next_part"] === "3" && live;
    });
    return stream.id;
  });
  await claims.holds(
    "killed and recreated under another host name, it resumes; nothing is sent again",
    async () => {
      await first[Symbol.asyncDispose]();
      await take.append(PART);
      await using second = start("host-b");
      await until("the third part is in S3", async () => {
        const live = await records.live("/inbox/take.mxf");
        return live?.["next_part"] === "4" && live;
      });
      same((await records.live("/inbox/take.mxf"))?.id, id);
      same(beside.witness.parts("take.mxf"), [1, 2, 3]);
      second.signal("SIGTERM");
      same(await second.exited, 0, second.output);
    },
  );
  await claims.holds(
    "SIGTERM as PID 1 drained it with 0: the stream waits without an owner, its lease is gone",
    async () => {
      const left = await records.live("/inbox/take.mxf");
      same([left?.status, left?.["owner"], left?.["next_part"]], ["processing", undefined, "4"]);
      same(await records.redis.zcard("workers"), 1, "only the killed container's entry may be left");
    },
  );
  await claims.holds(
    "a third container completes it: the object equals the file, each part went up once",
    async () => {
      await take[Symbol.asyncDispose]();
      writeFileSync(join(inbox, "take.mxf.done"), "");
      await using third = start("host-c");
      await third.said("interrupted streams resumed");
      same((await completed("take.mxf"))["stream_id"], id);
      await identical("take.mxf");
      same(beside.witness.parts("take.mxf"), [1, 2, 3, 4]);
      same(await bucket.openUploads(), []);
    },
  );
}
