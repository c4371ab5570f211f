/** Before a local file is deleted or moved, end to end: every doubt keeps it, and its bytes are in S3 whatever happens. */
import { execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import {
  appendFileSync,
  chmodSync,
  existsSync,
  openSync,
  closeSync,
  readFileSync,
  renameSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { PART, startRig, writeWhole, type Rig } from "./rig.ts";
import { ask } from "./rig/ask.ts";
import { lagBytes } from "./rig/health.ts";
import { WorkerProcess } from "./rig/worker-process.ts";

const fixture = (name: string): string => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));

const DELETE = { SLUICE_AFTER_UPLOAD: "delete" };
const LONG = { ...DELETE, SLUICE_AFTER_UPLOAD_DELAY: "1h" };

/** Stored and described: what is left is its file. */
async function stored(rig: Rig, path: string) {
  return await rig.live(
    path,
    ({ status, waiting_for: waiting }) =>
      status === "s3_completed" && waiting?.includes('"for":"tidy"') === true,
  );
}

async function objectIs(rig: Rig, key: string, bytes: Buffer): Promise<boolean> {
  const head = await rig.bucket.head(key);
  if (head.status !== 200 || Number(head.headers["content-length"]) !== bytes.length) return false;
  const pieces: Buffer[] = [];
  for await (const piece of rig.bucket.read(key, bytes.length)) pieces.push(piece);
  return Buffer.concat(pieces).equals(bytes);
}

async function failures(worker: WorkerProcess): Promise<Record<string, number>> {
  const { address } = await worker.said("health and metrics");
  const text = await (await fetch(`${address as string}/metrics`)).text();
  return Object.fromEntries(
    [...text.matchAll(/^sluice_tidy_failed_total\{.*reason="(\w+)".*\} (\S+)$/gm)].map(
      ([, reason, count]) => [reason, Number(count)],
    ),
  );
}

describe("the object of a file about to be deleted", { timeout: 180_000 }, () => {
  it("D5a: that somebody removed is sent again before the file is deleted or moved", async () => {
    await using rig = await startRig({ watches: ["deleted", "moved"] });
    const rules =
      'watches:\n  - {path: deleted, after_upload: delete}\n  - {path: moved, after_upload: "move:archive"}\n';
    writeFileSync(join(rig.directory, "sluice.yaml"), `after_upload_delay: 4s\n${rules}`);
    const files = ["deleted/small", "deleted/large", "moved/small"].map((name) => {
      const bytes = randomBytes(name.endsWith("large") ? PART + 1_000 : 1_000);
      const path = join(rig.directory, name);
      writeFileSync(path, bytes);
      return { path, bytes, key: name };
    });
    await rig.start();
    for (const { path, key } of files) {
      await stored(rig, path);
      await rig.bucket.remove(key);
    }
    for (const { path, bytes, key } of files) {
      await rig.until(`${key} is tidied`, () => !existsSync(path));
      expect(await objectIs(rig, key, bytes)).toBe(true);
      expect((await rig.records.generations(path)).map(({ status }) => status)).toEqual([
        "failed_verify_mismatch",
        expect.stringMatching(/^s3_completed|completed$/),
      ]);
    }
    // It is hidden before it is moved.
    await rig.until("the file is moved", () => existsSync(join(rig.directory, "archive/small")));
  });

  it.each([
    ["in one request", 1_000],
    ["in parts", PART + 1_000],
  ])(
    "D5a: that went up %s and is gone, as its file, goes again once the file is back",
    async (_case, size) => {
      await using rig = await startRig({ env: LONG });
      const bytes = randomBytes(size);
      const path = join(rig.root, "a.bin");
      writeFileSync(path, bytes);
      const worker = await rig.start();
      const { id } = await stored(rig, path);
      await worker.kill();
      await rig.bucket.remove("a.bin");
      renameSync(path, join(rig.directory, "elsewhere.bin"));
      writeWhole(rig, "other.bin", "so that the volume is seen to be there");
      await rig.start();
      const failed = await rig.until("its stream has failed", async () => {
        const stream = await rig.records.stream(id);
        return stream?.status === "failed_verify_mismatch" ? stream : undefined;
      });
      expect(failed["failure_detail"]).toMatch(/: put the file back and retry, or purge the record$/);
      renameSync(join(rig.directory, "elsewhere.bin"), path);
      const retried = await ask(rig, "retry", id);
      expect(retried).toMatchObject({ result: "done", detail: expect.stringContaining("from byte 0") });
      expect((await stored(rig, path)).id).toBe(id);
      expect(await objectIs(rig, "a.bin", bytes)).toBe(true);
    },
  );

  it("D5a: that cannot be asked for because the store is away keeps the file under its name until it can", async () => {
    await using rig = await startRig({ env: { ...DELETE, SLUICE_AFTER_UPLOAD_DELAY: "2s" } });
    const path = writeWhole(rig, "a.bin", "content");
    const worker = await rig.start();
    await stored(rig, path);
    const fault = rig.s3.faults.add(
      { operation: "HeadObject", times: -1 },
      { kind: "reply", reply: { status: 503, code: "SlowDown" } },
    );
    await rig.until("it was asked for in vain", () => rig.s3.faults.list().some(({ acted }) => acted > 2));
    await worker.said("the store is unavailable");
    expect(readFileSync(path, "utf8")).toBe("content");
    rig.s3.faults.remove(fault);
    await rig.until("it is deleted", () => !existsSync(path));
    expect(await rig.bucket.text("a.bin")).toBe("content");
  });

  it("D5a: that a damaged or forged record names wrongly never costs the file", async () => {
    await using rig = await startRig({ env: { ...DELETE, SLUICE_AFTER_UPLOAD_DELAY: "1s" } });
    await rig.bucket.put("theirs", "others!");
    const { headers } = await rig.bucket.head("theirs");
    const etag = String(headers["etag"]).replaceAll('"', "");
    const forged = [
      { name: "other-key", content: "content", fields: { s3_key: "theirs", etag } },
      { name: "other-digest", content: "CONTENT", fields: { crc32: "AAAAAA==", etag: "0".repeat(32) } },
      { name: "no-object", content: "Content", fields: { s3_key: "never" } },
    ].map((one) => ({ ...one, path: writeWhole(rig, one.name, one.content) }));
    const worker = rig.launch({ SLUICE_AFTER_UPLOAD_DELAY: "1h" });
    const ids = await Promise.all(forged.map(async ({ path }) => (await stored(rig, path)).id));
    await worker.kill();
    for (const [at, { name, fields }] of forged.entries()) {
      await rig.records.redis.hset(`stream:${ids[at]}:meta`, fields);
      await rig.bucket.remove(name);
    }
    await rig.start();
    for (const { name, path, content } of forged) {
      await rig.until(`${name} is deleted`, () => !existsSync(path));
      // The key that its record named no longer may still be taken by it: then it has the next name.
      const keys = (await rig.bucket.keys(name)).filter((key) => !key.endsWith(".json"));
      expect(await Promise.all(keys.map((key) => rig.bucket.text(key)))).toEqual([content]);
    }
    expect(await rig.bucket.text("theirs")).toBe("others!");
  });
});

describe("writers", { timeout: 180_000 }, () => {
  it("D7b: one that opened the file before it is deleted loses nothing, and its bytes are in the object", async () => {
    await using rig = await startRig({ env: { ...DELETE, SLUICE_AFTER_UPLOAD_DELAY: "2s" } });
    const path = writeWhole(rig, "app.log", "line 1\n");
    await rig.start();
    await stored(rig, path);
    const fd = openSync(path, "a");
    await rig.live(path, ({ waiting_for: waiting }) => waiting?.includes('"for":"writer"') === true);
    writeSync(fd, "line 2\n");
    await rig.until(
      "what was written is another generation",
      async () => (await rig.records.generations(path)).length === 2,
    );
    writeSync(fd, "line 3\n");
    closeSync(fd);
    await rig.until("it is deleted", () => !existsSync(path));
    expect(await rig.bucket.text("app.log")).toBe("line 1\nline 2\nline 3\n");
  });

  it("D7b: that cannot be seen keep the file, which is said everywhere; a marker allows it", async () => {
    await using rig = await startRig({ env: { ...DELETE, SLUICE_AFTER_UPLOAD_DELAY: "1s" } });
    const alone = ["unshare", "--pid", "--fork", "--kill-child=KILL", "--mount-proc"];
    const worker = new WorkerProcess({ env: rig.env(), cwd: rig.directory, through: alone });
    await using _ = { [Symbol.asyncDispose]: () => worker.kill() };
    const path = writeWhole(rig, "idle.bin", "content");
    const done = await rig.completed(path);
    expect(done["tidy_error"]).toContain("alone in its PID namespace");
    expect(readFileSync(path, "utf8")).toBe("content");
    expect(await worker.said("the local file could not be tidied")).toMatchObject({
      level: 40,
      reason: "unseen",
    });
    expect(await failures(worker)).toEqual({ refused: 0, unseen: 1, unproved: 0 });
    const marked = writeWhole(rig, "marked.bin", "content");
    writeFileSync(`${marked}.done`, "");
    await rig.until("the marked file is deleted", () => !existsSync(marked));
    expect(existsSync(path)).toBe(true);
    // A marker that comes after the completion: its bytes are in S3, and it waits as any recognised file does.
    const sent = () =>
      rig.requests.filter(
        ({ operation, key, status }) => operation === "PutObject" && key === "idle.bin" && status === 200,
      ).length;
    expect(sent()).toBe(1);
    writeFileSync(`${path}.done`, "");
    const again = await stored(rig, path);
    expect(again).toMatchObject({ completed_by: "marker", supersedes: done.id, verify_result: "recognised" });
    const until = JSON.parse(again["waiting_for"] ?? "{}") as { until: string; unseen?: string };
    expect(until.unseen).toBeUndefined();
    expect(Date.parse(until.until) - Date.now()).toBeGreaterThan(50 * 60_000);
    expect(sent()).toBe(1);
    expect(await rig.records.generations(path)).toHaveLength(2);
  });

  it("D7b: other bytes of the same size under the old mtime, written during the delay, keep the file", async () => {
    await using rig = await startRig({ env: { ...DELETE, SLUICE_AFTER_UPLOAD_DELAY: "3s" } });
    const path = writeWhole(rig, "a.bin", "content");
    utimesSync(path, 1_700_000_000, 1_700_000_000);
    await rig.start();
    const { id } = await stored(rig, path);
    writeFileSync(path, "CONTENT");
    utimesSync(path, 1_700_000_000, 1_700_000_000);
    await rig.until("its stream is over", async () => (await rig.records.stream(id))?.status === "completed");
    expect(readFileSync(path, "utf8")).toBe("CONTENT");
  });

  it("D3a: a file that a process has mapped for writing is not complete, though its descriptor is closed", async () => {
    await using rig = await startRig();
    const path = writeWhole(rig, "a.wav", "mapped content");
    const child = spawn("python3", [fixture("hold-mapped.py"), path, "shared"], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    using _ = { [Symbol.dispose]: () => void child.kill("SIGKILL") };
    const lines = createInterface({ input: child.stdout });
    await once(lines, "line");
    await rig.start();
    const waiting = await rig.live(
      path,
      ({ waiting_for: text }) => text?.includes('"for":"writer"') === true,
    );
    expect(JSON.parse(waiting["waiting_for"] ?? "")).toMatchObject({ pid: child.pid, mapped: true });
    child.stdin.write("write MAPPED\n");
    await once(lines, "line");
    child.stdin.write("close\n");
    await rig.completed(path);
    expect(await rig.bucket.text("a.wav")).toBe("MAPPED content");
  });
});

describe("while the delay runs", { timeout: 180_000 }, () => {
  it("D7c: growth, and a new file at a renamed path, are taken up at once, and lag counts them", async () => {
    await using rig = await startRig({ env: LONG });
    const grows = writeWhole(rig, "grows.log", "one\n");
    const rotates = writeWhole(rig, "app.log", "old\n");
    const worker = await rig.start();
    await stored(rig, grows);
    await stored(rig, rotates);
    appendFileSync(grows, randomBytes(3 * 1024 * 1024));
    await rig.until("lag counts the growth", async () => (await lagBytes(worker)) >= 3 * 1024 * 1024, {
      everyMs: 10,
    });
    renameSync(rotates, `${rotates}.1`);
    writeFileSync(rotates, "new\n");
    await rig.until("the growth is stored", () => objectIs(rig, "grows.log", readFileSync(grows)));
    const contents = await rig.until("both files have an object", async () => {
      const keys = (await rig.bucket.keys("app")).filter((key) => !key.endsWith(".json"));
      const texts = await Promise.all(keys.map((key) => rig.bucket.text(key)));
      return texts.length > 1 && texts;
    });
    expect(contents.toSorted()).toEqual(["new\n", "old\n"]);
  });

  it("D7f: a wall clock that jumps two hours deletes nothing early, and a restart does not either", async () => {
    await using rig = await startRig({ env: LONG });
    const path = writeWhole(rig, "a.bin", "content");
    const worker = rig.launch({}, fixture("worker-clock-jumps.ts"));
    const before = await stored(rig, path);
    worker.signal("SIGUSR2");
    const until = (text: string | undefined): number =>
      Date.parse((JSON.parse(text ?? "{}") as { until?: string }).until ?? "");
    // The end of the delay moves with the clock: it was looked at after the jump, and waits on.
    await rig.live(path, ({ waiting_for: text }) => until(text) - until(before["waiting_for"]) > 3_600_000);
    expect(existsSync(path)).toBe(true);
    await worker.kill();
    // As after a start with a clock that stands two hours ahead of the one that wrote the record.
    const sealed = new Date(Date.parse(before["sealed_at_utc"] ?? "") - 2 * 3_600_000).toISOString();
    await rig.records.redis.hset(`stream:${before.id}:meta`, { sealed_at_utc: sealed, waiting_for: "" });
    await rig.start();
    await stored(rig, path);
    expect(existsSync(path)).toBe(true);
  });

  it("D7h: SIGTERM with seal ends at once with 0 where only files wait to be tidied, and seals what they grew by", async () => {
    await using rig = await startRig({
      env: { ...LONG, SLUICE_ON_TERM: "seal", SLUICE_DRAIN_TIMEOUT: "30s" },
    });
    const path = writeWhole(rig, "a.bin", "content");
    const worker = await rig.start();
    await stored(rig, path);
    const askedAt = performance.now();
    expect(await worker.terminate()).toEqual({ code: 0, signal: null });
    expect(performance.now() - askedAt).toBeLessThan(15_000);
    expect(readFileSync(path, "utf8")).toBe("content");
    const second = await rig.start();
    await stored(rig, path);
    appendFileSync(path, ", and more");
    expect(await second.terminate()).toEqual({ code: 0, signal: null });
    expect(await rig.bucket.text("a.bin")).toBe("content, and more");
  });
});

it(
  "D7g: a same-size patch in the second of the seal is in the object, where times are whole seconds",
  { timeout: 120_000 },
  async () => {
    await using rig = await startRig();
    using _ = coarse(rig);
    await rig.start();
    const path = join(rig.root, "a.wav");
    await sleep(1_050 - (Date.now() % 1_000));
    writeFileSync(path, "RIFF....sound");
    writeFileSync(`${path}.done`, "");
    const writtenAt = performance.now();
    // As soon as it is stored; and in the same second in any case.
    await rig.until(
      "it is stored, or most of the second is over",
      async () => performance.now() - writtenAt > 880 || (await rig.bucket.head("a.wav")).status === 200,
      { everyMs: 5 },
    );
    patch(path, "RIFF0013");
    await rig.completed(path);
    expect(
      await rig.until("the patch is stored", () => objectIs(rig, "a.wav", Buffer.from("RIFF0013sound"))),
    ).toBe(true);
  },
);

it(
  "D7b: tidying that the directory forbids is a warning and a metric, and the stream says why",
  { timeout: 120_000 },
  async () => {
    await using rig = await startRig({ env: DELETE });
    const path = writeWhole(rig, "a.bin", "content");
    writeFileSync(`${path}.done`, "");
    chmodSync(rig.root, 0o555);
    const worker = rig.launch({}, fixture("worker-as-nobody.ts"));
    const done = await rig.completed(path);
    expect(done["tidy_error"]).toMatch(/EACCES|permission denied/);
    expect(await worker.said("the local file could not be tidied")).toMatchObject({
      level: 40,
      reason: "refused",
    });
    expect(await failures(worker)).toEqual({ refused: 1, unseen: 0, unproved: 0 });
    expect(readFileSync(path, "utf8")).toBe("content");
  },
);

/** In place and without closing or moving anything else. */
function patch(path: string, text: string): void {
  const fd = openSync(path, "r+");
  writeSync(fd, text, 0);
  closeSync(fd);
}

/** Mounts a file system over the watch that keeps neither birth times nor fractions of seconds. */
function coarse(rig: Rig): Disposable {
  const image = join(rig.directory, "image");
  writeFileSync(image, "");
  truncateSync(image, 8 * 1024 * 1024);
  execFileSync("mkfs.ext4", ["-q", "-I", "128", image], { stdio: "ignore" });
  execFileSync("mount", ["-o", "loop", image, rig.root]);
  return { [Symbol.dispose]: () => void execFileSync("umount", ["-l", rig.root]) };
}
