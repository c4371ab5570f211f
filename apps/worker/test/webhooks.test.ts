/** Webhooks by a real worker to a real receiver, which verifies each signature with somebody else's library. */
import { randomBytes } from "node:crypto";
import { mkdirSync, renameSync } from "node:fs";
import { get } from "node:http";
import { createServer } from "node:net";
import { once } from "node:events";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { document, sluice } from "./cli-process.ts";
import { GrowingFile } from "./rig/growing-file.ts";
import { ask } from "./rig/ask.ts";
import { PART, startRig, writeWhole, type Rig, type WorkerProcess } from "./rig.ts";
import { breachesOfSomeFields } from "./stream-schema.ts";
import { SECRET, startReceiver, type Received, type WebhookReceiver } from "./webhook-receiver.ts";

let receiver: WebhookReceiver;
let rig: Rig;

let worker: WorkerProcess;

beforeAll(async () => {
  receiver = await startReceiver();
  rig = await startRig({ env: { SLUICE_WEBHOOK_URL: receiver.url, SLUICE_WEBHOOK_SECRET: SECRET } });
  worker = await rig.start();
});
afterAll(async () => {
  await rig?.[Symbol.asyncDispose]();
  await receiver?.[Symbol.asyncDispose]();
});
/** Each test begins with an empty outbox, a receiver that accepts and a store without faults. */
afterEach(async () => {
  rig.s3.faults.clear();
  receiver.respond = () => 204;
  await rig.until("the outbox is empty", async () => (await rig.records.redis.xlen("webhooks")) === 0);
  expect(receiver.forged).toBe(0);
  receiver.calls.length = 0;
});

/** A name no other test has, nor an earlier try of the same one. */
let names = 0;
const fresh = (name: string) => `${(names += 1)}-${name}`;

const types = (of = receiver) => of.accepted().map(({ type }) => type);

async function metric(port: number, name: string): Promise<string[]> {
  const [response] = (await once(get(`http://127.0.0.1:${port}/metrics`), "response")) as [
    NodeJS.ReadableStream,
  ];
  let text = "";
  for await (const chunk of response) text += String(chunk);
  return text.split("\n").filter((line) => line.startsWith(name));
}

test("a completed file is told once, signed, under the names of its record", async () => {
  const name = fresh("told.bin");
  const path = writeWhole(rig, name, randomBytes(PART + 7));
  const stream = await rig.completed(path);
  const [told] = await rig.until("it is told", () => receiver.accepted().length > 0 && receiver.accepted());
  expect(told).toMatchObject({
    type: "stream.completed",
    data: {
      id: stream.id,
      original_path: path,
      s3_bucket: "recordings",
      s3_key: name,
      status: "s3_completed",
      file_size: PART + 7,
      etag: stream["etag"],
      crc32: stream["crc32"],
    },
  });
  expect(breachesOfSomeFields(told?.data)).toEqual([]);
  expect(receiver.calls).toHaveLength(1);
});

test("a receiver that is down holds up nothing; once it is up every message comes, those of one stream in order", async () => {
  receiver.respond = () => 503;
  const paths = ["a.bin", "b.bin", "c.bin"].map((name) => writeWhole(rig, fresh(name), randomBytes(1_000)));
  for (const path of paths) await rig.completed(path);
  const growing = await GrowingFile.open(`${rig.root}/${fresh("d.bin")}`);
  await growing.append(PART + 1);
  const live = await rig.live(growing.path, ({ s3_upload_id }) => s3_upload_id !== undefined);
  expect((await ask(rig, "abort", live.id)).result).toBe("done");
  await rig.until("it is aborted", async () =>
    (await rig.records.stream(live.id))?.["status"].startsWith("failed_"),
  );
  expect((await ask(rig, "retry", live.id)).result).toBe("done");
  await growing[Symbol.asyncDispose]();
  await rig.completed(growing.path);
  await rig.until("it was tried", () => receiver.calls.length > 0);
  expect(receiver.accepted()).toEqual([]);

  receiver.respond = () => 200;
  const accepted = await rig.until(
    "all are told",
    () => receiver.accepted().length >= 5 && receiver.accepted(),
  );
  expect(accepted).toHaveLength(5);
  expect(accepted.filter(({ data }) => data["id"] === live.id).map(({ type }) => type)).toEqual([
    "stream.failed",
    "stream.completed",
  ]);
  await rig.until("the outbox is empty", async () => (await rig.records.redis.xlen("webhooks")) === 0);
  const address = String((await worker.said("health and metrics"))["address"]);
  const port = Number(new URL(address).port);
  expect(await metric(port, "sluice_webhooks_delivered_total")).toHaveLength(2);
  expect((await metric(port, "sluice_webhook_attempts_failed_total"))[0]).toContain('reason="status_5xx"');
  expect(await metric(port, "sluice_webhooks_pending")).toEqual([expect.stringMatching(/ 0$/) as string]);
});

test("one stream's message that is refused holds back that stream alone", async () => {
  receiver.respond = ({ data }) => (String(data["s3_key"]).endsWith("bad.bin") ? 400 : 200);
  await rig.completed(writeWhole(rig, fresh("bad.bin"), "x"));
  await rig.until("it was refused", () => receiver.calls.length > 0);
  await rig.completed(writeWhole(rig, fresh("good.bin"), "y"));
  await rig.until("the other is told", () => receiver.accepted().length === 1);
  // Its message leaves the outbox after the receiver's answer has been read.
  await rig.until(
    "the refused one alone is left",
    async () => (await rig.records.redis.xlen("webhooks")) === 1,
  );
  expect(types()).toEqual(["stream.completed"]);
});

test("X10: a redirect is not followed", async () => {
  await using elsewhere = await startReceiver();
  receiver.respond = () => ({ location: elsewhere.url });
  await rig.completed(writeWhole(rig, fresh("redirected.bin"), "x"));
  await rig.until("it was tried twice", () => receiver.calls.length > 1);
  expect([elsewhere.calls.length, elsewhere.forged]).toEqual([0, 0]);
});

test("a file that is stalled is told once", async () => {
  await worker.terminate();
  // Longer than the five seconds in which a record learns that other parts are on their way: the cause is then of now.
  worker = await rig.start({ SLUICE_STALL_AFTER: "10s" });
  const growing = await GrowingFile.open(`${rig.root}/${fresh("stalled.bin")}`);
  await growing.append(PART);
  await rig.live(growing.path, ({ next_part }) => next_part === "2");
  const { promise: until, resolve: letGo } = Promise.withResolvers<void>();
  rig.s3.faults.add({ operation: "UploadPart" }, { kind: "gate", until });
  await growing.append(PART);
  // On a busy machine the first part may take longer than the stall time, too.
  const stalled = () =>
    receiver.accepted().filter(({ type, data }) => type === "stream.stalled" && data["bytes_sent"] === PART);
  await rig.until("it is told", () => stalled().length > 0);
  expect(stalled()[0]).toMatchObject({
    data: {
      status: "processing",
      file_size: 2 * PART,
      waiting_for: { for: "parts", numbers: [2] },
      cause: expect.stringContaining("part 2 is still being sent") as string,
    },
  });
  expect(stalled()).toHaveLength(1);
  letGo();
  await growing[Symbol.asyncDispose]();
  await rig.completed(growing.path);
});

test("a completion is told when the object is proved, not when its file is tidied", async () => {
  await worker.terminate();
  worker = await rig.start({ SLUICE_AFTER_UPLOAD: "delete", SLUICE_AFTER_UPLOAD_DELAY: "1h" });
  const path = writeWhole(rig, fresh("tidied.bin"), randomBytes(1_000));
  await rig.until("it is told", () => types().includes("stream.completed"));
  expect(receiver.accepted()[0]).toMatchObject({ data: { original_path: path, status: "s3_completed" } });
  expect((await rig.records.live(path))?.status).toBe("s3_completed");
});

test("a worker that dies is told by the one that is left, and its return too; so is a watch that is away", async () => {
  await worker.terminate();
  worker = await rig.start();
  const root = `${rig.directory}/second`;
  mkdirSync(root);
  const env = { SLUICE_WORKER_ID: "second", SLUICE_SOURCE: "second", SLUICE_WATCH: root };
  const second = await rig.start(env);
  await second.kill();
  const about = (type: string) => receiver.accepted().find((message) => message.type === type);
  const lost = await rig.until("it is told", () => about("worker.lost"));
  expect(lost.data).toMatchObject({
    worker: "second",
    source: "second",
    since: expect.any(String) as string,
  });
  const again = await rig.start(env);
  await rig.until("its return is told", () => about("worker.recovered"));
  renameSync(root, `${root}.away`);
  const offline = await rig.until("the watch is told", () => about("watch.offline"));
  expect(offline.data).toMatchObject({ watch: "second", source: "second", root });
  expect(types()).toEqual(["worker.lost", "worker.recovered", "watch.offline"]);
  await again.terminate();
}, 120_000);

test("doctor says whether the receiver takes a message", async () => {
  const look = async (url: string) => {
    const env = rig.env({ SLUICE_WEBHOOK_URL: url });
    const findings = document<{ id: string }[]>(
      await sluice(["doctor", "--json"], { env, cwd: rig.directory }),
    );
    return findings.map(({ id }) => id).filter((id) => id.startsWith("webhook"));
  };
  expect(await look(receiver.url)).toEqual(["webhook.accepted"]);
  expect(receiver.accepted()[0]?.type).toBe("ping");
  receiver.respond = () => 404;
  expect(await look(receiver.url)).toEqual(["webhook.refused"]);
  const closed = createServer().listen(0, "127.0.0.1");
  await once(closed, "listening");
  const { port } = closed.address() as { port: number };
  closed.close();
  expect(await look(`http://127.0.0.1:${port}/`)).toEqual(["webhook.unanswered"]);
});

test("a worker killed between the change and its delivery has told it: the next one delivers, under the same id", async () => {
  receiver.respond = () => "hang";
  const name = fresh("killed.bin");
  await rig.completed(writeWhole(rig, name, randomBytes(1_000)));
  const isIt = ({ data }: Received) => data["s3_key"] === name;
  const begun = await rig.until("the call hangs", () => receiver.calls.find(isIt));
  await worker.kill();
  receiver.respond = () => 200;
  worker = await rig.start();
  const told = await rig.until("it is told", () => receiver.accepted().find(isIt));
  expect(told).toMatchObject({ id: begun.id, type: "stream.completed" });
});
