/**
 * The day of someone with four recorders and a bucket: installed from the archive, recording, behind TLS, upgraded in the
 * middle, moved to another host, which is lost, and a disk that fills.
 */
import { deepStrictEqual as same, match, notEqual, ok } from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, existsSync, readFileSync, readlinkSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "@playwright/test";
import { Bucket } from "../../apps/worker/test/rig/bucket.ts";
import { until } from "../../apps/worker/test/rig/until.ts";
import { freePort } from "../../packages/redis-schema/test/free-port.ts";
import { commandsUnder } from "../archive/guide.ts";
import { buildArchive } from "../archive/install-claims.ts";
import { certificate, NAME, PROXIES } from "../archive/tls-proxy.ts";
import type { Claims } from "../compose/claims.ts";
import { mustRun, run } from "../compose/run-program.ts";
import { startVersityGw } from "../stores/servers/versitygw.ts";
import { copyAll, Host, KEPT, RECORDINGS, SMALL, Witness, type Recording } from "./host.ts";
import { onPhone } from "./phone.ts";
import { Receiver } from "./receiver.ts";

const BUCKET = "recordings";
const CAMERAS = ["cam1", "cam2", "cam3", "cam4"];
/** As if it had been released after the one that is built. */
const NEXT = "99.0.0";
const MIB = 1024 * 1024;
const SMALL_DISK = "64m";
/** What leaves less than the tenth of which the worker warns. */
const NEARLY_FULL = 60 * MIB;
/** A warning has to last for 30 s before it is sent. */
const TOLD_WITHIN_MS = 120_000;

/** What the day is played with: it outlives each host. */
interface Day {
  claims: Claims;
  bucket: Bucket;
  receiver: Receiver;
  redisPort: number;
  webPort: number;
  settings: (source: string) => string;
  secrets: Readonly<Record<string, string>>;
}

/** @param isWhole otherwise it ends with the recordings in the bucket, before the move to another host */
export async function operatorDay(claims: Claims, isWhole: boolean): Promise<void> {
  await using store = await startVersityGw();
  const { endpoint, accessKeyId, secretAccessKey } = store;
  const bucket = new Bucket({ endpoint, bucket: BUCKET, accessKeyId, secretAccessKey });
  await bucket.create();
  await using receiver = await Receiver.start();
  const [redisPort, webPort, healthPort] = [await freePort(), await freePort(), await freePort()];
  const settings = (source: string): string =>
    [
      `redis_url: redis://127.0.0.1:${redisPort}`,
      `source: ${source}`,
      "watches:",
      `  - path: ${RECORDINGS}`,
      "    after_upload: delete",
      "    after_upload_delay: 2s",
      "    tidy_unseen: true",
      `  - path: ${KEPT}`,
      `  - path: ${SMALL}`,
      "    after_upload: delete",
      "    after_upload_delay: 2s",
      "    tidy_unseen: true",
      `s3_bucket: ${BUCKET}`,
      `s3_endpoint: ${endpoint}`,
      "s3_region: us-east-1",
      "idle_timeout: 3s",
      `http_port: ${healthPort}`,
      `webhook_url: ${receiver.url}`,
      "",
    ].join("\n");
  const secrets = {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    SLUICE_WEBHOOK_SECRET: receiver.secret,
  };
  const day: Day = { claims, bucket, receiver, redisPort, webPort, settings, secrets };
  await using first = await Host.make("first");
  await firstMorning(day, first);
  await recordings(day, first);
  if (!isWhole) return;
  await diskFills(day, first);
  await moveAndLoss(day, first);
}

async function firstMorning(day: Day, host: Host): Promise<void> {
  const { claims, settings, secrets, redisPort, webPort } = day;
  await buildArchive(claims, host.root);
  await claims.must("it installs by the guide's commands", async () => {
    match(await host.install(), /is installed/);
  });
  await claims.must("Redis comes from the distribution, and keeps what it acknowledged", async () => {
    await host.installRedis(redisPort);
  });
  await claims.must("recorder's user, settings and credentials are put in by the guide", async () => {
    await host.prepareRecorder();
    await host.configure(settings("studio-a"), secrets);
    host.root.write(
      "/etc/sluice/dashboard.env",
      `SLUICE_WEB_PORT=${webPort}\nSLUICE_WEB_TRUSTED_PROXIES=127.0.0.1/32\n`,
    );
  });
  await claims.must("the machine is switched on", async () => {
    await host.boot();
    await host.machine.mustRun(["systemctl", "enable", "--now", "redis-server"]);
  });
  await claims.must("doctor finds nothing wrong", async () => {
    await host.machine.mustRun(["mount", "-t", "tmpfs", "-o", `size=${SMALL_DISK}`, "tmpfs", SMALL]);
    await host.machine.mustRun(["chown", "recorder:recorder", SMALL]);
    await host.machine.mustRun(["sh", "-ec", commandsUnder("Configure", /sluice doctor/)]);
  });
  await claims.must("worker and dashboard start, now and at each boot", async () => {
    await host.machine.mustRun(["sh", "-ec", commandsUnder("Start at boot")]);
    await until("the dashboard answers", async () =>
      fetch(`http://127.0.0.1:${webPort}/login`).then(
        ({ status }) => status === 200,
        () => false,
      ),
    );
  });
}

async function recordings(day: Day, host: Host): Promise<void> {
  const { claims, bucket, receiver } = day;
  const started: Recording[] = [];
  const witnesses: Witness[] = [];
  try {
    await claims.must("four recorders write MKV, and parts of all go up while they write", async () => {
      for (const name of CAMERAS) started.push(host.record(`${RECORDINGS}/${name}.mkv`));
      await until("the files are there", () => started.every(({ file }) => existsSync(file)));
      for (const { file } of started) witnesses.push(new Witness(file));
      await until("each has a part in the bucket", async () => {
        const sent = (await host.streams("active")).filter(({ bytes_sent: bytes = 0 }) => bytes > 0);
        return sent.length === CAMERAS.length;
      });
    });
    await claims.holds("an upgrade in the middle of them restarts the worker, and they go on", async () => {
      const before = await host.mainPid("sluice-worker");
      const inUse = readlinkSync(host.root.outside("/opt/sluice"));
      await host.root.mustRun(["cp", "-R", inUse, "/root/sluice-next"]);
      host.root.write("/root/sluice-next/VERSION", `${NEXT}\n`);
      await host.machine.mustRun(["/root/sluice-next/install"]);
      same(readlinkSync(host.root.outside("/opt/sluice")), `/opt/sluice-${NEXT}`);
      notEqual(await host.mainPid("sluice-worker"), before);
    });
    await phoneClaim(day, host);
    await claims.must("each is deleted here, and its object is what was recorded", async () => {
      await Promise.all(started.map(({ finish }) => finish()));
      for (const [at, { path, file }] of started.entries()) {
        await until(`${path} is deleted`, () => !existsSync(file)).catch(async (cause: unknown) => {
          throw new Error(await host.journal("sluice-worker"), { cause });
        });
        same((await bucket.bytes(keyOf(path))).equals(witnesses[at]?.bytes() ?? Buffer.of()), true, path);
      }
    });
    await claims.holds("the receiver was told of each, by messages with a right signature", async () => {
      for (const { path } of started)
        await until(`${path} was told`, () => receiver.about("stream.completed", path) !== undefined);
      same(receiver.refused, []);
    });
    await claims.holds("nothing is left in the bucket but objects and what describes them", async () => {
      const names = CAMERAS.flatMap((name) => [
        keyOf(`${RECORDINGS}/${name}.mkv`),
        keyOf(`${RECORDINGS}/${name}.mkv.metadata.json`),
      ]);
      await until("all are described", async () => (await bucket.keys()).length >= names.length);
      same((await bucket.keys()).toSorted(), names.toSorted());
      same(await bucket.openUploads(), []);
    });
  } finally {
    for (const witness of witnesses) witness[Symbol.dispose]();
  }
}

async function phoneClaim({ claims, webPort }: Day, host: Host): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), "sluice-days-"));
  try {
    await mustRun(["chmod", "0755", home]);
    await certificate(home);
    for (const proxy of PROXIES) {
      await claims.holds(`on a phone, through ${proxy.name} and TLS, one sees them grow`, async () => {
        const tls = await freePort();
        const child = proxy.start(home, { tls, dashboard: webPort });
        const ended = once(child, "exit");
        try {
          await until("the dashboard answers through the proxy", async () => {
            const known = ["--resolve", `${NAME}:${tls}:127.0.0.1`];
            return (await run(["curl", "-sfk", ...known, `https://${NAME}:${tls}/login`])).code === 0;
          });
          const password = readFileSync(host.root.outside("/etc/sluice/secrets/web-password"), "utf8").trim();
          await onPhone(tls, password, async (page) => {
            for (const name of CAMERAS) await expect(page.getByText(`${name}.mkv`).first()).toBeVisible();
          });
        } finally {
          child.kill("SIGTERM");
          await ended;
        }
      });
    }
  } finally {
    rmSync(home, { recursive: true });
  }
}

/** What the recorder's user runs, in a shell. */
const asRecorder = (command: string): string[] => [
  "setpriv",
  "--reuid=recorder",
  "--regid=recorder",
  "--clear-groups",
  "sh",
  "-ec",
  command,
];

/** On a small disk of its own, with a writer of the machine. */
async function diskFills({ claims, bucket, receiver }: Day, host: Host): Promise<void> {
  await claims.holds("a disk that fills is told before it is full", async () => {
    // Held open, so that it is not complete and stays where it is.
    const write = `exec 3>${SMALL}/long.mkv; head -c ${NEARLY_FULL} /dev/urandom >&3`;
    const held = host.machine.run(
      asRecorder(`${write}; until test -e ${RECORDINGS}/enough; do sleep 0.2; done`),
      2 * TOLD_WITHIN_MS,
    );
    const told = until("the receiver was told", () => receiver.of("watch.disk_filling"), {
      withinMs: TOLD_WITHIN_MS,
    });
    try {
      await told;
      match((await host.machine.run(["sh", "-c", "sluice ls"])).all, /long\.mkv/);
      match(await host.type("sluice doctor || true"), /full|free/);
    } finally {
      host.root.write(`${RECORDINGS}/enough`, "");
      same((await held).code, 0);
    }
  });
  await claims.holds("what is uploaded makes room by itself, and the recorder goes on", async () => {
    const free = async (): Promise<number> => {
      const said = await host.machine.mustRun(["stat", "-f", "-c", "%a %S", SMALL]);
      const [blocks = 0, bytes = 0] = said.trim().split(" ").map(Number);
      return blocks * bytes;
    };
    await until("there is room again", async () => (await free()) > NEARLY_FULL);
    await host.machine.mustRun(asRecorder(`head -c ${MIB} /dev/urandom >${SMALL}/next.mkv`));
    await until(
      "it is in the bucket",
      async () => (await bucket.head(keyOf(`${SMALL}/next.mkv`))).status === 200,
    );
    same((await bucket.head(keyOf(`${SMALL}/long.mkv`))).headers["content-length"], String(NEARLY_FULL));
  });
}

async function moveAndLoss(day: Day, first: Host): Promise<void> {
  const { claims, bucket, settings, secrets } = day;
  await claims.must("two recordings are kept on the disk", async () => {
    const kept = ["keep1", "keep2"].map((name) => first.record(`${KEPT}/${name}.mkv`));
    for (const { file, finish } of kept) {
      await until("it has more than a part", () => sizeOf(file) > 8 * MIB);
      await finish();
    }
    await until("both are complete", async () => {
      const done = (await first.streams("completed")).map(({ original_path: path }) => path);
      return kept.every(({ path }) => done.includes(path));
    });
  });
  await using second = await Host.make("second");
  await claims.must("the host moves: recordings and settings are copied, Redis stays", async () => {
    await first.machine.mustRun(["systemctl", "stop", "sluice-worker"]);
    second.bringArchive(first);
    await second.install();
    await second.prepareRecorder();
    await second.configure(settings("studio-a"), secrets);
    await copyAll(first, second, KEPT);
    await second.boot();
  });
  await claims.must("there nothing is sent again", async () => {
    const before = await whatIsThere(bucket);
    await second.machine.mustRun(["systemctl", "enable", "--now", "sluice-worker"]);
    // Two that come later are complete: whatever was there before has been judged.
    for (const name of ["after1", "after2"]) {
      const { file, finish } = second.record(`${KEPT}/${name}.mkv`);
      await until("it has begun", () => sizeOf(file) > MIB);
      await finish();
      await until(`${name} is complete`, async () =>
        (await second.streams("completed")).some(({ s3_key: key }) => key === keyOf(`${KEPT}/${name}.mkv`)),
      );
    }
    const after = await whatIsThere(bucket);
    for (const [key, etag] of before) same(after.get(key), etag, key);
    same(
      [...after.keys()].filter((key) => key.endsWith("-2.mkv")),
      [],
    );
  });
  let seen: Buffer = Buffer.of();
  await claims.must("the new host is lost in the middle of a recording", async () => {
    const lost = second.record(`${KEPT}/lost.mkv`);
    await until("two parts are in the bucket", async () =>
      (await second.streams("active")).some(({ bytes_sent: bytes = 0 }) => bytes >= 16 * MIB),
    );
    using witness = new Witness(lost.file);
    await second.lose();
    seen = witness.bytes();
  });
  await claims.must("another worker makes an object of what S3 has, by the guide's commands", async () => {
    await first.configure(settings("studio-b"), secrets);
    await first.machine.mustRun(["systemctl", "start", "sluice-worker"]);
    await until(
      "its worker works",
      async () => (await first.machine.run(["sluice", "healthcheck", "--ready"])).code === 0,
    );
    const salvage = "sluice salvage --all --source studio-a";
    let said = "";
    await until("the lease has lapsed", async () => {
      const { code, all } = await first.machine.run(["sh", "-c", `${salvage} --plan`]);
      said = all;
      return code === 0 && all.includes("lost.mkv");
    }).catch((cause: unknown) => {
      throw new Error(said, { cause });
    });
    await first.type(`${salvage} --yes`);
    const object = await bucket.bytes(keyOf(`${KEPT}/lost.mkv`));
    ok(object.length >= 16 * MIB);
    same(seen.subarray(0, object.length).equals(object), true);
  });
}

/** With several watches the watch's name comes first. */
const keyOf = (path: string): string => path.replace("/var/", "");

const sizeOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0;

/** ETags by key. */
async function whatIsThere(bucket: Bucket): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const key of await bucket.keys()) found.set(key, (await bucket.head(key)).headers["etag"] ?? "");
  return found;
}
