/** The command line beside a running worker: what is asked for is done, and what is said is so. */
import { createHash, randomBytes } from "node:crypto";
import { appendFileSync, existsSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Orphan } from "@sluice/redis-schema";
import { formatBytes } from "@sluice/control/units";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Check } from "../src/requests/verify-report.ts";
import { document, sluice, type Answer } from "./cli-process.ts";
import { BUCKET, MIB, PART, startRig, writeWhole, type Rig, type StreamSeen } from "./rig.ts";
import { S3Client } from "../../../packages/local-s3/test/s3-client.ts";
import { Upload } from "../../../packages/local-s3/test/uploads.ts";

/** Files that are complete only when they are told to be. */
const PATIENT = { SLUICE_IDLE_TIMEOUT: "10m", SLUICE_IDLE_MAX: "20m" };

interface Report {
  results: { id: string; result: string; detail?: string }[];
}
interface Verified {
  result: string;
  detail: string;
  data: { s3_key: string; checks: Check[]; sha256?: { object: string; file?: string }; file?: string };
}

let rig: Rig;
beforeAll(async () => {
  rig = await startRig({ env: PATIENT });
  await rig.start();
});
afterAll(async () => {
  await rig?.[Symbol.asyncDispose]();
});

function cli(...args: string[]): Promise<Answer> {
  return sluice(args, { env: rig.env(), cwd: rig.directory });
}

/** A growing file with one part in S3. */
async function growing(name: string): Promise<{ path: string; stream: StreamSeen; bytes: Buffer }> {
  const bytes = randomBytes(PART + MIB);
  const path = writeWhole(rig, name, bytes);
  return { path, bytes, stream: await rig.live(path, (stream) => stream["next_part"] === "2") };
}

/** An upload that another program began; its id. */
async function openUpload(key: string): Promise<string> {
  const env = rig.env();
  const s3 = new S3Client({
    endpoint: rig.s3.url,
    region: "us-east-1",
    bucket: BUCKET,
    accessKeyId: env["AWS_ACCESS_KEY_ID"] ?? "",
    secretAccessKey: env["AWS_SECRET_ACCESS_KEY"] ?? "",
  });
  return (await Upload.create(s3, key)).id;
}

/** A finished file. */
async function finished(name: string, bytes: Buffer): Promise<{ path: string; stream: StreamSeen }> {
  const path = writeWhole(rig, name, bytes);
  writeFileSync(`${path}.done`, "");
  return { path, stream: await rig.completed(path) };
}

const resultsOf = (answer: Answer) => document<Report>(answer).results;
const checksOf = (answer: Answer) =>
  Object.fromEntries(document<Verified>(answer).data.checks.map(({ name, ok }) => [name, ok]));

describe("sluice finalize", () => {
  it("completes a file as it stands", async () => {
    const { path, stream, bytes } = await growing("finalize.mkv");
    const answer = await cli("finalize", stream.id, "--yes", "--json");
    expect([answer.code, resultsOf(answer)[0]?.result]).toEqual([0, "done"]);
    const done = await rig.completed(path);
    expect(done).toMatchObject({ id: stream.id, completed_by: "finalize", file_size: String(bytes.length) });
    const object = await rig.bucket.head("finalize.mkv");
    expect(object.headers["content-length"]).toBe(String(bytes.length));
    // Asked for once more, it is refused with the reason.
    const again = await cli("finalize", stream.id, "--json");
    expect([again.code, resultsOf(again)[0]?.detail]).toEqual([1, "it is complete already"]);
  });
});

describe("sluice abort, retry and purge", () => {
  it("end a stream, take it up again from byte 0, and forget it until its path is retried", async () => {
    const { path, stream } = await growing("back and forth\u001b[1m.mkv");
    const aborted = await cli("abort", stream.id, "--yes", "--count", "1", "--json");
    expect([aborted.code, resultsOf(aborted)[0]?.result]).toEqual([0, "done"]);
    const status = async () => (await rig.records.stream(stream.id))?.status;
    await rig.until("it is aborted", async () => (await status()) === "failed_aborted_by_operator");
    expect(existsSync(path)).toBe(true);

    const retried = await cli("retry", stream.id, "--json");
    expect([retried.code, resultsOf(retried)[0]]).toEqual([
      0,
      { id: stream.id, result: "done", detail: "Starts again from byte 0; all bytes are sent again." },
    ]);
    await rig.until(
      "it is at work again",
      async () => (await rig.records.stream(stream.id))?.["next_part"] === "2",
    );

    await cli("abort", stream.id, "--yes", "--count", "1");
    await rig.until("it is aborted again", async () => (await status()) === "failed_aborted_by_operator");
    expect((await cli("purge", stream.id, "--yes")).code).toBe(0);
    expect(await status()).toBeUndefined();

    // A purged file is left alone; its path takes it up again.
    const lifted = await cli("retry", path, "--json");
    expect([lifted.code, resultsOf(lifted)[0]?.result]).toEqual([0, "done"]);
    const next = await rig.live(path, (seen) => seen["next_part"] === "2");
    expect(next.id).not.toBe(stream.id);
    const unknown = await cli("retry", join(rig.root, "nothing.mkv"));
    expect([unknown.code, unknown.stderr]).toEqual([
      1,
      expect.stringContaining("No failed stream and no purged file"),
    ]);
  });
});

describe("sluice parts --compare", () => {
  it("sees that S3 has every part, and that an upload is gone", async () => {
    const { stream } = await growing("compare.mkv");
    const same = await cli("parts", stream.id, "--compare", "--json");
    expect([same.code, document<unknown[]>(same)]).toEqual([
      0,
      [expect.objectContaining({ PartNumber: 1, Size: PART, in_s3: "same" })],
    ]);
    await rig.bucket.abort("compare.mkv", stream["s3_upload_id"] ?? "");
    const gone = await cli("parts", stream.id, "--compare", "--json");
    expect(gone.code).toBe(1);
    expect(document<unknown[]>(gone)).toEqual([expect.objectContaining({ in_s3: "missing" })]);
    expect(gone.stderr).toContain("The upload no longer exists in S3");
  });
});

describe("sluice verify", () => {
  const bytes = randomBytes(2 * PART + 100);

  it("compares the object with its record, and with --deep its bytes with the file's", async () => {
    // More than is read back in one go.
    const large = randomBytes(33 * MIB);
    const { stream } = await finished("whole.mkv", large);
    const shallow = await cli("verify", stream.id, "--json");
    expect(shallow.code).toBe(0);
    expect(checksOf(shallow)).toEqual({ object: true, size: true, etag: true, crc32: true, parts: true });
    const deep = await cli("verify", "whole.mkv", "--deep", "--json");
    expect(deep.code).toBe(0);
    expect(checksOf(deep)).toMatchObject({ content: true, file: true });
    const sum = createHash("sha256").update(large).digest("hex");
    expect(document<Verified>(deep).data.sha256).toEqual({ object: sum, file: sum });
  });

  it("of a small file, which has no parts, compares what there is", async () => {
    const { stream } = await finished("small.txt", Buffer.from("a few words"));
    const deep = await cli("verify", stream.id, "--deep", "--json");
    expect([deep.code, checksOf(deep)]).toEqual([
      0,
      { object: true, size: true, etag: true, crc32: true, parts: null, content: true, file: true },
    ]);
  });

  it("finds an object that another program has overwritten, and one that is gone", async () => {
    const { stream } = await finished("changed.mkv", bytes);
    const other = Buffer.from(bytes);
    other[7_000_000] = (other[7_000_000] ?? 0) ^ 1;
    await rig.bucket.put("changed.mkv", other);
    const deep = await cli("verify", stream.id, "--deep", "--json");
    expect(deep.code).toBe(1);
    expect(checksOf(deep)).toMatchObject({
      object: true,
      size: true,
      etag: false,
      content: false,
      file: false,
    });
    expect(document<Verified>(deep).detail).toContain("file: differs from the object at byte 7000000");
    await rig.bucket.remove("changed.mkv");
    const gone = await cli("verify", stream.id);
    expect(gone.code).toBe(1);
    expect(gone.stdout).toContain("no object exists at the key");
  });

  it("ends with 65 where the file has changed since: no script deletes it for a 0", async () => {
    const { path, stream } = await finished("touched.mkv", bytes);
    const later = new Date(statSync(path).mtimeMs + 5_000);
    // A later generation would reopen it: its stream's own record stays as it was sealed.
    utimesSync(path, later, later);
    const deep = await cli("verify", stream.id, "--deep", "--json");
    expect([deep.code, checksOf(deep)["file"], document<Verified>(deep).result]).toEqual([65, null, "done"]);
    expect(document<Verified>(deep).data.file).toBe("changed");
    const words = await cli("verify", stream.id, "--deep");
    expect(words.code).toBe(65);
    expect(words.stdout).toContain("may not be: the file has changed since it was sealed");
    expect((await cli("verify", stream.id)).code).toBe(0);
  });

  it("knows an object by its key when its record is history", async () => {
    const { path, stream } = await finished("history.mkv", bytes);
    rmSync(path);
    expect((await cli("purge", "--completed", "--yes")).code).toBe(0);
    expect(await rig.records.stream(stream.id)).toBeUndefined();
    const deep = await cli("verify", "history.mkv", "--deep", "--json");
    expect(deep.code).toBe(0);
    expect(checksOf(deep)).toEqual({
      object: true,
      size: true,
      etag: true,
      crc32: true,
      parts: true,
      content: true,
      file: null,
    });
    const nothing = await cli("verify", "no/such/object");
    expect(nothing.code).toBe(1);
    expect(nothing.stdout).toContain("there is neither a stream no/such/object nor a metadata object");
  });

  it("that nobody waited for is answered all the same, and told later", async () => {
    const { stream } = await finished("later.mkv", bytes);
    const late = await cli("verify", stream.id, "--deep", "--wait", "0");
    expect([late.code, late.stdout]).toEqual([75, ""]);
    const id = /--request ([0-9a-f-]{36})/.exec(late.stderr)?.[1] ?? "";
    const told = await cli("verify", "--request", id, "--json");
    expect([told.code, checksOf(told)["content"]]).toEqual([0, true]);
  });

  it("refuses a stream whose object is not finished", async () => {
    const { stream } = await growing("unfinished.mkv");
    const answer = await cli("verify", stream.id);
    expect([answer.code, answer.stdout]).toEqual([
      1,
      "refused  its object is not finished: the stream is processing\n",
    ]);
  });
});

describe("sluice orphans", () => {
  it("X15: are found by a scan; ours are aborted, foreign ones never", async () => {
    const { stream } = await growing("held.mkv");
    const ours = await openUpload("held.mkv");
    const foreign = await openUpload("somebody/else.mov");
    const listed = await cli("orphans", "ls", "--scan", "--json");
    expect(listed.code).toBe(0);
    const verdicts = new Map(document<Orphan[]>(listed).map((one) => [one.s3_upload_id, one.verdict]));
    expect([verdicts.get(ours), verdicts.get(foreign)]).toEqual(["ours", "foreign"]);
    expect(verdicts.has(stream["s3_upload_id"] ?? "")).toBe(false);

    const cleaned = await cli("orphans", "clean", "--older-than", "0", "--yes", "--count", "1", "--json");
    expect([cleaned.code, resultsOf(cleaned)]).toEqual([0, [{ id: ours, result: "done" }]]);
    const open = (await rig.bucket.openUploads()).map(({ uploadId }) => uploadId);
    expect(open).toContain(foreign);
    expect(open).toContain(stream["s3_upload_id"]);
    expect(open).not.toContain(ours);
  });

  it("that a purge leaves are aborted by the worker", async () => {
    const { path, stream } = await growing("purged.mkv");
    rmSync(path);
    const status = async () => (await rig.records.stream(stream.id))?.status;
    await rig.until("its file is missed", async () => (await status()) === "failed_file_missing");
    const lose = `lose ${formatBytes(Number((await rig.records.stream(stream.id))?.["bytes_sent"]))}`;
    const words = ["--uploads", "lose", "--confirm", lose];
    const purged = await cli("purge", stream.id, ...words, "--yes", "--count", "1", "--json");
    expect(resultsOf(purged)[0]?.detail).toBe("its upload is left to a worker to abort");
    const isOpen = async () =>
      (await rig.bucket.openUploads()).some(({ uploadId }) => uploadId === stream["s3_upload_id"]);
    await rig.until("the upload is gone", async () => !(await isOpen()), { withinMs: 60_000 });
    await rig.until(
      "nothing is left to abort",
      async () => (await rig.records.redis.hlen("uploads:to_abort")) === 0,
    );
  });
});

describe("sluice adopt", () => {
  it(
    "takes the streams of a source that is gone: nothing is sent again, no upload stays behind",
    { timeout: 120_000 },
    async () => {
      await using own = await startRig({ env: PATIENT });
      const run = (...args: string[]) => sluice(args, { env: own.env(), cwd: own.directory });
      const old = await own.start({ SLUICE_SOURCE: "old-host", SLUICE_WORKER_ID: "old" });
      const bytes = randomBytes(2 * PART + MIB);
      const path = writeWhole(own, "adopted.mkv", bytes);
      const before = await own.until("two parts are sent", async () =>
        (await own.records.streams()).find((stream) => stream["next_part"] === "3"),
      );
      expect((await run("adopt", "--from", "old-host")).stderr).toContain(
        "is not gone: worker old is running there",
      );
      await old.kill();
      // The lease of a killed worker lapses; until then its source counts as alive.
      await own.start();
      await own.until(
        "the old source is gone",
        async () => (await run("adopt", "--from", "old-host", "--plan")).code === 0,
        {
          everyMs: 1_000,
        },
      );
      const answer = await run("adopt", "--from", "old-host", "--yes", "--json");
      expect([answer.code, resultsOf(answer)]).toEqual([
        0,
        [
          {
            id: before.id,
            result: "done",
            detail: "adopted by the source rig; its former source was old-host",
          },
        ],
      ]);
      const adopted = await own.records.stream(before.id);
      expect(adopted).toMatchObject({
        source: "rig",
        owner: "rig-worker",
        s3_upload_id: before["s3_upload_id"],
      });
      expect(Number(adopted?.["fence"])).toBeGreaterThan(Number(before["fence"]));

      appendFileSync(path, randomBytes(MIB));
      writeFileSync(`${path}.done`, "");
      const done = await own.completed(path);
      expect([done.id, done["s3_key"], done["file_size"]]).toEqual([
        before.id,
        "adopted.mkv",
        String(2 * PART + 2 * MIB),
      ]);
      expect(await own.bucket.openUploads()).toEqual([]);
      const sent = own.requests.filter(
        ({ operation, key, status, partNumber }) =>
          operation === "UploadPart" && key === "adopted.mkv" && status === 200 && Number(partNumber) <= 2,
      );
      expect(sent).toHaveLength(2);
      expect((await own.records.streams()).map(({ id }) => id)).toEqual([before.id]);
    },
  );
});

describe("sluice healthcheck", () => {
  it("asks the worker whether it is alive, and whether it is ready", async () => {
    const [line] = (rig.workers[0]?.lines ?? []).filter(({ msg }) => msg === "health and metrics");
    const url = String(line?.["address"]);
    const alive = await cli("healthcheck", "--url", url);
    expect([alive.code, alive.stdout]).toEqual([0, expect.stringMatching(/^ok {2}alive/)]);
    const ready = await cli("healthcheck", "--ready", "--url", url, "--json");
    expect([ready.code, document<object>(ready)]).toEqual([
      0,
      expect.objectContaining({ ok: true, http_status: 200 }),
    ]);
  });
});
