/**
 * Who can write Redis can write anything there. A thousand records of every wrong kind cost their own rows at most: the
 * dashboard answers, good records are shown, a worker lives and does its work, and nothing outside its watch and its bucket
 * is read, written or deleted.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { newStream } from "@sluice/core/testing";
import { recordFields } from "@sluice/redis-schema/records/stream-record";
import { closeClient, whenReady } from "@sluice/redis-schema/connection";
import { RANGES } from "../../../apps/web/src/overview/range.ts";
import { startRedis } from "@sluice/redis-schema/testing";
import { Redis } from "ioredis";
import { expect, test } from "vitest";
import { makeHub } from "../../../apps/web/src/server/hub.ts";
import { makeServer, type Server } from "../../../apps/web/src/server/server.ts";
import { BUCKET, SOURCE, startRig, writeWhole } from "../../../apps/worker/test/rig.ts";
import { figure } from "../figures.ts";
import { forgeries, write, writeOthers, type Aims } from "./forge.ts";

const SEED = Number(process.env["HOSTILE_SEED"] ?? 16);
const RECORDS = Number(process.env["HOSTILE_RECORDS"] ?? 1_000);
const OTHERS = RECORDS / 10;
const GOOD = 20;
const NONE: Aims = {
  source: SOURCE,
  bucket: BUCKET,
  foreignBucket: "theirs",
  foreignPath: "/nowhere/outside",
  root: "/nowhere/watch",
};

interface Page {
  rows: { id: string }[];
  next?: string | null;
}

async function ask(
  server: Server,
  path: string,
  input?: unknown,
): Promise<{ status: number; data: unknown }> {
  const query = input === undefined ? "" : `?input=${encodeURIComponent(JSON.stringify(input))}`;
  const url = `http://127.0.0.1/api/trpc/${path}${query}`;
  const answer = await server.answer(new Request(url, { headers: { host: "127.0.0.1" } }));
  const { result } = (await answer.json()) as { result?: { data: unknown } };
  return { status: answer.status, data: result?.data };
}

test(`${RECORDS} forged records cost the dashboard their own rows at most`, async () => {
  const redis = await startRedis();
  const other = new Redis(redis.url);
  const forged = forgeries(RECORDS, SEED, NONE);
  const good = Array.from({ length: GOOD }, (_, at) =>
    newStream({ id: `01good${String(at).padStart(20, "0")}`, path: `/inbox/good-${at}.bin` }),
  );
  await write(other, forged);
  await writeOthers(
    other,
    OTHERS,
    SEED,
    NONE,
    forged.map(({ id }) => id),
  );
  for (const record of good) {
    await other.hset(`stream:${record.id}:meta`, recordFields(record));
    await other.zadd("streams:active", Date.now(), record.id);
  }
  const hub = makeHub({
    redisUrl: redis.url,
    keyPrefix: "",
    auth: { mode: "none" },
    trustedProxies: [],
    readOnly: false,
    environment: undefined,
    consoleUrl: undefined,
    storagePrice: { amount: 0.02, currency: "USD" },
    orphanAgeMs: 60_000,
    stallAfterMs: 60_000,
    webhooks: undefined,
    demo: false,
    shown: [],
  });
  const server = makeServer(hub);
  await whenReady(hub.clients[0], AbortSignal.timeout(10_000));
  const reading = hub.model.run(hub.drain.signal);
  expect(await hub.model.whenFilled(30_000)).toBe(true);
  const refused: string[] = [];
  const asked = async (path: string, input?: unknown) => {
    const answer = await ask(server, path, input);
    if (answer.status >= 500) refused.push(`${path} ${JSON.stringify(input)}: ${answer.status}`);
    return answer.data;
  };
  for (const path of [
    "overview.get",
    "failed.groups",
    "workers.list",
    "sources.list",
    "webhooks.get",
    "system.get",
    "orphans.list",
    "streams.facets",
  ])
    await asked(path);
  await asked("activity.page", {});
  await asked("activity.page", { kind: "sign_ins", who: "x", action: "y", from: 0, until: 1 });
  for (const range of RANGES) await asked("overview.chart", { range });
  const inputs = [...forged, ...good].flatMap(({ id }) => (id.length > 256 ? [] : [{ id }]));
  for (const input of inputs) {
    for (const path of ["streams.detail", "streams.partMap", "streams.metadata"]) await asked(path, input);
    await asked("streams.exported", { ...input, format: "csv" });
    await asked("streams.parts", { ...input, from: 1, to: 100 });
    await asked("activity.about", input);
  }
  for (let at = 0; at < OTHERS; at += 1) {
    await asked("workers.get", { id: `forged-${at}` });
    await asked("requests.get", { id: `forged-${at}` });
    await asked("actions.progress", { token: `forged-${at}` });
  }
  for (const format of ["csv", "ndjson"]) {
    await asked("streams.exportedRows", { filter: {}, format });
    await asked("streams.exportedRows", { filter: { time: "failed", since: 0, until: 1e15 }, format });
  }
  const shown = new Set<string>();
  for (const sort of ["started", "size", "path"]) {
    for (let after: string | undefined; ;) {
      const page = (await asked("streams.page", {
        filter: {},
        sort,
        limit: 200,
        ...(after === undefined ? {} : { after }),
      })) as Page | undefined;
      for (const { id } of page?.rows ?? []) shown.add(id);
      if (!page || page.next === undefined || page.next === null || page.next === after) break;
      after = page.next;
    }
  }
  expect(refused).toEqual([]);
  for (const { id } of good) expect(shown).toContain(id);
  hub.drain.abort();
  await reading;
  await Promise.all(hub.clients.map(closeClient));
  other.disconnect();
  await redis.stop();
  figure(
    `${RECORDS} forged stream records and ${OTHERS} of each other kind, read by the dashboard`,
    `${inputs.length * 5} questions, none failed; each good record is shown`,
  );
}, 300_000);

test(`${RECORDS} forged records, requests and entries make a worker touch nothing that is not its own`, async () => {
  await using rig = await startRig({
    buckets: ["theirs"],
    env: { SLUICE_AFTER_UPLOAD: "delete", SLUICE_TIDY_UNSEEN: "true", SLUICE_AFTER_UPLOAD_DELAY: "1s" },
  });
  const outside = join(rig.directory, "outside");
  writeFileSync(outside, "not to be touched");
  const theirs = rig.otherBucket("theirs");
  await theirs.put("theirs.bin", "theirs");
  const upload = await theirs.createUpload("theirs.bin");
  const kept = writeWhole(rig, "kept.bin", "kept until it is uploaded");
  const aims: Aims = {
    source: SOURCE,
    bucket: BUCKET,
    foreignBucket: "theirs",
    foreignPath: outside,
    root: rig.root,
  };
  const forged = forgeries(RECORDS, SEED, aims);
  await write(rig.records.redis, forged);
  await writeOthers(
    rig.records.redis,
    OTHERS,
    SEED,
    aims,
    forged.map(({ id }) => id),
  );
  const toAbort = {
    s3_bucket: "theirs",
    s3_upload_id: upload,
    s3_key: "theirs.bin",
    who: "mallory",
    at_utc: new Date().toISOString(),
  };
  await rig.records.redis.hset("uploads:to_abort", upload, JSON.stringify(toAbort));
  const from = rig.requests.length;
  const worker = await rig.start();
  const later = writeWhole(rig, "later.bin", "found while all that is there");
  await rig.until("both files are uploaded", async () => {
    const keys = await rig.bucket.keys();
    return keys.includes("later.bin") && keys.includes("kept.bin");
  });
  await rig.until(
    "both are deleted, as the setting says",
    () => ![kept, later].some((path) => existsSync(path)),
  );
  expect(await rig.bucket.text("kept.bin")).toBe("kept until it is uploaded");
  expect(worker.running).toBe(true);
  expect(readFileSync(outside, "utf8")).toBe("not to be touched");
  // The test's own looks at the bucket are none of another bucket.
  const foreign = rig.requests.slice(from).filter(({ bucket }) => bucket !== undefined && bucket !== BUCKET);
  expect(foreign.map(({ operation, bucket, key }) => ({ operation, bucket, key }))).toEqual([]);
  expect(await theirs.text("theirs.bin")).toBe("theirs");
  expect(await theirs.openUploads()).toHaveLength(1);
  figure(
    `${RECORDS} forged stream records and ${OTHERS} requests and entries of each other kind, met by a worker`,
    "no request to another bucket, no file outside its watch touched",
  );
}, 300_000);
