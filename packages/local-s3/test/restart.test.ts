/** The real process, killed with SIGKILL: what it acknowledged is there after a restart, what it did not is not, and nothing is half there. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, onTestFinished, test } from "vitest";
import { FULL_PART, md5Hex, MIB, OTHER_PART } from "./bodies.ts";
import { BUCKET, clientOf, credentials, makeDir } from "./rig.ts";
import { type S3Client, tag, tags } from "./s3-client.ts";
import { Upload } from "./uploads.ts";

const MAIN = join(import.meta.dirname, "../src/main.ts");
const env = {
  ...process.env,
  LOCAL_S3_ACCESS_KEY_ID: credentials.accessKeyId,
  LOCAL_S3_SECRET_ACCESS_KEY: credentials.secretAccessKey,
};

interface Running {
  readonly process: ChildProcess;
  readonly s3: S3Client;
  kill(signal: NodeJS.Signals): Promise<number | null>;
}

function launch(args: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, [MAIN, ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

async function start(dir: string, ...more: string[]): Promise<Running> {
  const child = launch(["--dir", dir, "--port", "0", "--bucket", BUCKET, ...more]);
  if (child.stdout === null) throw new Error("no stdout");
  const [line] = (await once(createInterface(child.stdout), "line")) as [string];
  const exited = once(child, "exit") as Promise<[number | null]>;
  return {
    process: child,
    s3: clientOf(/http:\S+/.exec(line)?.[0] ?? ""),
    async kill(signal) {
      child.kill(signal);
      return (await exited)[0];
    },
  };
}

/** What a promise that must fail failed with. Watched from the start, so that it may fail before it is awaited. */
const failureOf = (promise: Promise<unknown>): Promise<string> => promise.then(() => "it succeeded", String);

async function failure(args: readonly string[]): Promise<{ code: number | null; stderr: string }> {
  const child = launch(args);
  let stderr = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stderr };
}

test("objects, parts, uploads and a finished Complete survive a kill", async () => {
  const dir = await makeDir();
  const first = await start(dir);
  await first.s3.call({ method: "PUT", key: "small", body: "small" });
  await first.s3.call({ method: "PUT", key: "large", body: FULL_PART });
  const open = await Upload.create(first.s3, "open");
  const [one, two] = [await open.part(1, FULL_PART), await open.part(2, "tail")];
  const done = await Upload.create(first.s3, "done");
  const doneParts = [await done.part(1, "whole")];
  const etag = tag((await done.complete(doneParts)).text, "ETag");
  await first.kill("SIGKILL");

  const { s3 } = await start(dir);
  expect((await s3.call({ method: "GET", key: "small" })).text).toBe("small");
  expect((await s3.call({ method: "GET", key: "large" })).bytes.equals(FULL_PART)).toBe(true);
  expect(tags((await open.via(s3).list()).text, "ETag")).toEqual([one.etag, two.etag]);
  expect(tag((await done.via(s3).complete(doneParts)).text, "ETag")).toBe(etag);
  expect((await open.via(s3).complete([one, two])).status).toBe(200);
});

test("a kill in the middle of a body leaves the earlier part and no stray file", async () => {
  const dir = await makeDir();
  const first = await start(dir, "--admin");
  const upload = await Upload.create(first.s3, "k");
  const part = await upload.part(1, FULL_PART);
  // Half of a body is sent and its bytes are on disk when the kill comes.
  const half = first.s3.call({
    method: "PUT",
    key: "k",
    query: { partNumber: "1", uploadId: upload.id },
    body: OTHER_PART.subarray(0, 4_000_000),
    headers: { "content-length": String(OTHER_PART.length), "x-amz-content-sha256": "UNSIGNED-PAYLOAD" },
  });
  const lost = failureOf(half);
  await expect.poll(async () => (await readdir(join(dir, "blobs"))).length).toBe(2);
  await first.kill("SIGKILL");
  expect(await lost).toMatch(/hang up|ECONNRESET/);

  const { s3 } = await start(dir);
  const list = await s3.call({ method: "GET", key: "k", query: { uploadId: upload.id } });
  expect(tags(list.text, "ETag")).toEqual([part.etag]);
  expect((await readdir(join(dir, "blobs"))).length).toBe(1);
});

test("under writes without pause a kill takes back nothing that was acknowledged", async () => {
  const dir = await makeDir();
  for (let round = 0; round < 3; round++) {
    const { s3, kill } = await start(dir);
    const acknowledged: string[] = [];
    const writer = async (lane: number): Promise<void> => {
      for (let count = 0; ; count++) {
        const key = `${round}/${lane}/${count}`;
        const body =
          count % 3 === 0 ? Buffer.concat([Buffer.from(key), FULL_PART.subarray(0, 200_000)]) : key;
        const answer = await s3.call({ method: "PUT", key, body });
        expect([answer.status, answer.headers["etag"]]).toEqual([200, `"${md5Hex(body)}"`]);
        acknowledged.push(key);
      }
    };
    const lanes = [0, 1, 2, 3].map(writer).map(failureOf);
    await expect
      .poll(() => acknowledged.length, { interval: 1, timeout: 15_000 })
      .toBeGreaterThan(40 + round * 13);
    await kill("SIGKILL");
    for (const lane of lanes) expect(await lane).toMatch(/hang up|ECONN/);

    const after = await start(dir);
    for (const key of acknowledged) {
      const answer = await after.s3.call({ method: "GET", key });
      expect([answer.status, `"${md5Hex(answer.bytes)}"`, answer.text.startsWith(key)]).toEqual([
        200,
        answer.headers["etag"],
        true,
      ]);
    }
    await after.kill("SIGTERM");
  }
});

test("a large body passes through a small memory", async () => {
  const { s3, process: child } = await start(await makeDir(), "--no-fsync");
  const peakMiB = async (): Promise<number> =>
    Number(/VmHWM:\s+(\d+)/.exec(await readFile(`/proc/${child.pid}/status`, "utf8"))?.[1]) / 1024;
  const before = await peakMiB();
  const body = Buffer.alloc(512 * MIB, "growing file ");
  const headers = { "x-amz-content-sha256": "UNSIGNED-PAYLOAD" };
  expect((await s3.call({ method: "PUT", key: "k", body, headers })).status).toBe(200);
  expect((await peakMiB()) - before).toBeLessThan(160);
});

test("SIGTERM ends with exit code 0 and a log with one line for each request", async () => {
  const dir = await makeDir();
  const log = join(dir, "access.ndjson");
  const { s3, kill } = await start(dir, "--log", log);
  await s3.call({ method: "PUT", key: "k", body: "x" });
  await s3.call({ method: "HEAD", key: "gone" });
  expect(await kill("SIGTERM")).toBe(0);
  const entries = (await readFile(log, "utf8"))
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(entries).toMatchObject([
    { operation: "PutObject", bucket: BUCKET, key: "k", status: 200, bytesIn: 1, delivered: true },
    { operation: "HeadObject", key: "gone", status: 404, errorCode: "NoSuchKey" },
  ]);
});

test("a directory belongs to one process", async () => {
  const dir = await makeDir();
  await start(dir);
  const { code, stderr } = await failure(["--dir", dir, "--port", "0"]);
  expect([code, stderr]).toEqual([1, `local-s3: ${dir} is in use by another local-s3 process\n`]);
});

test("a taken port is said in one line", async () => {
  const taken = createServer().listen(0, "127.0.0.1");
  onTestFinished(() => void taken.close());
  await once(taken, "listening");
  const address = taken.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const { code, stderr } = await failure(["--dir", await makeDir(), "--port", String(port)]);
  expect([code, stderr]).toEqual([
    1,
    `local-s3: port ${port} on 127.0.0.1 is taken; choose another with --port\n`,
  ]);
});

test("a missing directory flag shows how the command is used", async () => {
  const { code, stderr } = await failure(["--port", "0"]);
  expect([code, stderr.startsWith("local-s3: --dir is missing\nlocal-s3 --dir DIR")]).toEqual([1, true]);
});
