/**
 * What the safeguard costs and what it protects, measured: typical writers beside a real worker each, for some minutes,
 * with the window of the compose stack. Writes the raw figures and the table of docs/reference/durability.md that is made from them.
 *
 *   node apps/worker/scripts/measure-safeguard.ts [minutes]     measures again (10)
 *   node apps/worker/scripts/measure-safeguard.ts --table       makes the table from the figures that are there
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { formatBytes } from "@sluice/control/units";
import { startLocalS3, type AccessEntry } from "@sluice/local-s3";
import { startRedis } from "../../../packages/redis-schema/test/redis-server.ts";
import { GrowingFile } from "../test/rig/growing-file.ts";
import { Records } from "../test/rig/records.ts";
import { WorkerProcess } from "../test/rig/worker-process.ts";

const RAW = new URL("../../../docs/reference/durability-measured.json", import.meta.url);
const PAGE = new URL("../../../docs/reference/durability.md", import.meta.url);
const WINDOW = "30s";
const CREDENTIALS = { accessKeyId: "measure", secretAccessKey: "measure-secret" };

interface Writer {
  name: string;
  partSize: string;
  bytes: number;
  everyMs: number;
}

const WRITERS: readonly Writer[] = [
  { name: "camera, 8 Mbit/s, parts of 8 MiB", partSize: "8MiB", bytes: 125_000, everyMs: 125 },
  { name: "the same past 7.8 GiB, parts of 32 MiB", partSize: "32MiB", bytes: 125_000, everyMs: 125 },
  { name: "audio, 128 kbit/s", partSize: "8MiB", bytes: 4_000, everyMs: 250 },
  { name: "log, a line of 100 bytes a second", partSize: "8MiB", bytes: 100, everyMs: 1_000 },
];

interface Measured {
  writer: string;
  seconds: number;
  written: number;
  /** Parts that were full when they went up, and short ones. */
  full_parts: number;
  tails: number;
  full_bytes: number;
  tail_bytes: number;
  requests_of_opening: number;
  /** Once the first tail was due: the longest that a byte was unprotected, and the most such bytes. */
  longest_unprotected_ms: number;
  most_unprotected_bytes: number;
  /** What would have been lost at most without the safeguard. */
  longest_tail_bytes: number;
}

async function measure(writer: Writer, minutes: number): Promise<Measured> {
  const directory = mkdtempSync(join(tmpdir(), "sluice-measure-"));
  const root = join(directory, "watch");
  mkdirSync(root);
  const requests: AccessEntry[] = [];
  await using redis = await startRedis();
  await using s3 = await startLocalS3({
    dir: join(directory, "s3"),
    credentials: CREDENTIALS,
    buckets: ["measured"],
    fsync: false,
    onRequest: (entry) => requests.push(entry),
  });
  const worker = new WorkerProcess({
    cwd: directory,
    env: {
      AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
      SLUICE_REDIS_URL: redis.url,
      SLUICE_S3_ENDPOINT: s3.url,
      SLUICE_S3_BUCKET: "measured",
      SLUICE_S3_REGION: "us-east-1",
      SLUICE_WATCH: root,
      SLUICE_SOURCE: "measure",
      SLUICE_WORKER_ID: "measure",
      SLUICE_PART_SIZE: writer.partSize,
      SLUICE_TAIL_SAFEGUARD: WINDOW,
      SLUICE_HTTP_PORT: "0",
      SLUICE_LOG_FORMAT: "json",
    },
  });
  using records = new Records(redis.port, "measure");
  try {
    await worker.ready();
    const path = join(root, "take.bin");
    await using file = await GrowingFile.open(path);
    return await write(writer, minutes, { file, records, requests });
  } finally {
    await worker.kill();
    rmSync(directory, { recursive: true, force: true });
  }
}

async function write(
  writer: Writer,
  minutes: number,
  { file, records, requests }: { file: GrowingFile; records: Records; requests: AccessEntry[] },
): Promise<Measured> {
  const writes: { size: number; atMs: number }[] = [];
  const beganMs = performance.now();
  const seen = { longestMs: 0, mostBytes: 0, longestTail: 0 };
  let due = false;
  for (let n = 1; performance.now() - beganMs < minutes * 60_000; n += 1) {
    await file.append(writer.bytes);
    writes.push({ size: file.size, atMs: performance.now() });
    if (n % Math.max(1, Math.round(500 / writer.everyMs)) === 0) {
      const stream = await records.live(file.path);
      const now = performance.now();
      const bytes = Number(stream?.["protected_bytes"] ?? 0);
      due ||= bytes > 0;
      while (writes[0] && writes[0].size <= bytes) writes.shift();
      if (due && writes[0]) {
        seen.longestMs = Math.max(seen.longestMs, now - writes[0].atMs);
        seen.mostBytes = Math.max(seen.mostBytes, file.size - bytes);
      }
    }
    await sleep(Math.max(0, beganMs + n * writer.everyMs - performance.now()));
  }
  const partBytes = Number.parseInt(writer.partSize, 10) * 1024 * 1024;
  const parts = requests.filter(({ operation, status }) => operation === "UploadPart" && status === 200);
  const sent = parts.filter(({ key }) => key === "take.bin");
  // Bodies may be framed: a full part is at least its own size.
  const full = sent.filter(({ bytesIn }) => bytesIn >= partBytes);
  const tails = sent.filter(({ bytesIn }) => bytesIn < partBytes);
  const sum = (entries: readonly AccessEntry[]) => entries.reduce((all, { bytesIn }) => all + bytesIn, 0);
  return {
    writer: writer.name,
    seconds: Math.round((performance.now() - beganMs) / 1_000),
    written: file.size,
    full_parts: full.length,
    tails: tails.length,
    full_bytes: sum(full),
    tail_bytes: sum(tails),
    requests_of_opening: requests.filter(
      ({ key, operation }) => key?.startsWith("take.bin") === true && operation !== "UploadPart",
    ).length,
    longest_unprotected_ms: Math.round(seen.longestMs),
    most_unprotected_bytes: seen.mostBytes,
    longest_tail_bytes: Math.min(file.size, partBytes),
  };
}

interface Raw {
  measured_at_utc: string;
  window: string;
  figures: Measured[];
}

function table({ measured_at_utc: at, window, figures }: Raw): string {
  const rows = figures.map((one) => {
    const hour = 3_600 / one.seconds;
    return [
      one.writer,
      formatBytes(one.written * hour),
      String(Math.round(one.tails * hour)),
      formatBytes(one.tail_bytes * hour),
      `${(one.tail_bytes / one.written).toFixed(1)}×`,
      `${(one.longest_unprotected_ms / 1_000).toFixed(0)} s, ${formatBytes(one.most_unprotected_bytes)}`,
      formatBytes(one.longest_tail_bytes),
    ];
  });
  const head = [
    "writer",
    "written in an hour",
    "tails in an hour",
    "bytes of tails in an hour",
    "tails beside what was written",
    "longest and most unprotected",
    "without the safeguard, at most",
  ];
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const seconds = figures[0]?.seconds ?? 0;
  return [
    `Measured on ${at.slice(0, 10)} over ${Math.round(seconds / 60)} minutes each, window ${window}, budget ${"`4x`"}, one worker a writer, an`,
    "endpoint on the same machine; the figures of an hour are those of the run, multiplied.",
    "",
    line(head),
    line(head.map(() => "---")),
    ...rows.map(line),
  ].join("\n");
}

function writeTable(raw: Raw): void {
  const page = readFileSync(PAGE, "utf8");
  const [begin, end] = ["<!-- measured -->", "<!-- /measured -->"];
  const before = page.slice(0, page.indexOf(begin) + begin.length);
  const after = page.slice(page.indexOf(end));
  writeFileSync(PAGE, `${before}\n\n${table(raw)}\n\n${after}`);
}

const [argument = "10"] = process.argv.slice(2);
if (argument !== "--table") {
  const figures = await Promise.all(WRITERS.map((writer) => measure(writer, Number(argument))));
  const raw: Raw = { measured_at_utc: new Date().toISOString(), window: WINDOW, figures };
  writeFileSync(RAW, `${JSON.stringify(raw, null, 2)}\n`);
}
writeTable(JSON.parse(readFileSync(RAW, "utf8")) as Raw);
