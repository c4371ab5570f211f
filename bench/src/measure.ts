/** The rounds of each suite, side by side: Sluice and its peers take turns, so that a busy minute hits them all. */
import { mkdtempSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import type { Peer } from "./peers/peers.ts";
import { makeCertificate, type Certificate } from "./rig/certificate.ts";
import { runMeasured } from "./rig/child.ts";
import { startEndpoint } from "./rig/endpoint.ts";
import { BIG_BYTES, warm, writeInput } from "./rig/input.ts";
import { blackHole } from "./suites/black-hole.ts";
import { firstLoad } from "./suites/dashboard.ts";
import { growing } from "./suites/growing.ts";
import { uploadOneFile } from "./suites/one-file.ts";
import { restart } from "./suites/restart.ts";
import { rcloneSmallFiles, sluiceSmallFiles } from "./suites/small-files.ts";
import { manyWriters, type Writing } from "./suites/many-writers.ts";
import { lastByteToVisible } from "./suites/visible.ts";

export interface Plan {
  rounds: number;
  bigBytes: number;
  smallFiles: number;
  restartStreams: number;
  growingFiles: number;
  growingSeconds: number;
  /** Each a row: many files, written a little at a time. */
  writers: readonly Writing[];
  /** Writes a second of each of 500 files, each a point of the curve. */
  writesCurve: readonly number[];
  visibleBytes: number;
  blackHoleSeconds: number;
  /** 0 leaves the dashboard out. */
  dashboardStreams: number;
  /** Of files and of growing streams, each a point of the curves. */
  curve: readonly number[];
  /** The same, of parts of one file. */
  partsCurve: readonly number[];
  peers: readonly Peer[];
}

export const FULL: Omit<Plan, "peers"> = {
  rounds: 5,
  bigBytes: BIG_BYTES,
  smallFiles: 10_000,
  restartStreams: 10_000,
  growingFiles: 2_000,
  growingSeconds: 60,
  writers: [
    { files: 500, writesPerSecond: 10, bytes: 4_096 },
    { files: 100, writesPerSecond: 50, bytes: 4_096 },
    { files: 500, writesPerSecond: 2, bytes: 65_536 },
    { files: 2_000, writesPerSecond: 1, bytes: 16_384 },
  ],
  writesCurve: [1, 2, 5, 10, 20, 50, 100],
  visibleBytes: BIG_BYTES,
  blackHoleSeconds: 600,
  dashboardStreams: 100_000,
  curve: [500, 1_000, 2_000],
  partsCurve: [8, 32, 128],
};

export interface Results {
  rounds: Record<string, number[]>;
  /** Load average at the beginning of each suite: a shared machine makes wall times long, CPU seconds less so. */
  load: Record<string, number>;
  /** Requests the endpoint saw of the last upload. */
  requests: Record<string, number>;
}

/** Suites that take long are repeated at most so often. */
const SUITE_ROUNDS = 3;

type Note = (row: string, value: number) => void;

const SUITES = {
  oneFile,
  withTls,
  signed,
  smallFiles,
  restarts,
  growth,
  writers,
  visible,
  curves,
  emptiness,
  dashboard,
};

export const SUITE_NAMES = Object.keys(SUITES);

/** `only`: names of suites; absent, all of them. */
export async function measure(plan: Plan, say: (text: string) => void, only = SUITE_NAMES): Promise<Results> {
  const results: Results = { rounds: {}, load: {}, requests: {} };
  const note: Note = (row, value) => void (results.rounds[row] ??= []).push(value);
  const directory = mkdtempSync(join(tmpdir(), "sluice-bench-"));
  try {
    for (const [name, suite] of Object.entries(SUITES)) {
      if (!only.includes(name)) continue;
      results.load[name] = loadavg()[0] ?? 0;
      say(`${name}, load ${(loadavg()[0] ?? 0).toFixed(1)}`);
      await suite(plan, directory, note, results);
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
  return results;
}

async function oneFile(plan: Plan, directory: string, note: Note, results: Results): Promise<void> {
  const input = join(directory, "input.bin");
  writeInput(input, plan.bigBytes);
  for (let round = 0; round < plan.rounds; round += 1) {
    warm(input);
    const put = await bare("put.ts", input);
    const read = await bare("read.ts", input);
    const ours = await uploadOneFile({ directory, input });
    results.requests = ours.requests;
    note("bare put cpu", put.cpu_seconds);
    note("bare put wall", put.wall_seconds);
    note("bare read cpu", read.cpu_seconds);
    note("bare put × 1.5 + read wall", put.wall_seconds * 1.5 + read.wall_seconds);
    note("sluice upload cpu", ours.upload_cpu_seconds);
    note("sluice seal cpu", ours.seal_cpu_seconds);
    note("sluice seal cpu per GiB", ours.seal_cpu_seconds / (plan.bigBytes / 1024 ** 3));
    note("sluice job cpu", ours.job_cpu_seconds);
    note("sluice job wall", ours.job_wall_seconds);
    note("sluice peak MiB", ours.peak_mib);
    note("sluice loop delay", ours.loop_delay_p99_ms);
    note("redis cpu beside sluice", ours.redis_cpu_seconds);
    note("endpoint cpu beside sluice", ours.endpoint_cpu_seconds);
    for (const peer of plan.peers) {
      await using endpoint = await startEndpoint();
      const run = await runMeasured(peer.command(input, endpoint.url), peer.env);
      note(`${peer.name} cpu`, run.cpu_seconds);
      note(`${peer.name} wall`, run.wall_seconds);
      note(`${peer.name} peak MiB`, run.peak_mib);
    }
  }
  rmSync(input);
}

/** The same with TLS, for the record: no bar names it. */
async function withTls(plan: Plan, directory: string, note: Note): Promise<void> {
  const input = join(directory, "tls.bin");
  writeInput(input, plan.bigBytes);
  const certificate = makeCertificate(directory);
  const put = await bare("put.ts", input, certificate);
  const ours = await uploadOneFile({ directory, input, certificate });
  rmSync(input);
  note("bare put cpu, TLS", put.cpu_seconds);
  note("sluice upload cpu, TLS", ours.upload_cpu_seconds);
  note("sluice job cpu, TLS", ours.job_cpu_seconds);
}

/** Signed payloads, for the record: each part is hashed by SHA-256 as well. */
async function signed(plan: Plan, directory: string, note: Note): Promise<void> {
  const input = join(directory, "signed.bin");
  writeInput(input, plan.bigBytes);
  const ours = await uploadOneFile({ directory, input, signedOnly: true });
  rmSync(input);
  note("sluice upload cpu, signed payload", ours.upload_cpu_seconds);
  note("sluice job cpu, signed payload", ours.job_cpu_seconds);
}

async function bare(
  program: "put.ts" | "read.ts",
  input: string,
  certificate?: Certificate,
): Promise<{ cpu_seconds: number; wall_seconds: number }> {
  await using endpoint = await startEndpoint({ certificate });
  const path = join(import.meta.dirname, "bare", program);
  const trusted = certificate === undefined ? [] : [certificate.cert];
  const args = program === "put.ts" ? [endpoint.url, input, ...trusted] : [input];
  const { stdout } = await runMeasured([process.execPath, path, ...args]);
  return JSON.parse(stdout) as { cpu_seconds: number; wall_seconds: number };
}

async function smallFiles(plan: Plan, directory: string, note: Note): Promise<void> {
  for (let round = 0; round < Math.min(plan.rounds, SUITE_ROUNDS); round += 1) {
    const ours = await sluiceSmallFiles(directory, plan.smallFiles);
    note("small files rate", ours.files_per_second);
    note("small files cpu", ours.cpu_seconds);
    note("small files cpu per file", (ours.cpu_seconds / plan.smallFiles) * 1_000);
    note("small files requests", ours.requests_per_file);
    note("small files Redis calls", ours.redis_calls_per_file);
    if (!plan.peers.some(({ name }) => name === "rclone")) continue;
    const rclone = await rcloneSmallFiles(directory, plan.smallFiles);
    note("rclone small files rate", rclone.files_per_second);
    note("rclone small files cpu", rclone.cpu_seconds);
  }
}

async function restarts(plan: Plan, directory: string, note: Note): Promise<void> {
  const seen = await restart(directory, plan.restartStreams);
  note("restart first part", seen.first_part_seconds);
  note("restart reconciled", seen.reconciled_seconds);
  note("restart round trips", seen.redis_round_trips_per_500);
}

async function growth(plan: Plan, directory: string, note: Note): Promise<void> {
  const seen = await growing(directory, plan.growingFiles, plan.growingSeconds);
  note("growing resident", seen.resident_mib);
  note("growing loop delay", seen.loop_delay_p99_ms);
}

async function writers(plan: Plan, directory: string, note: Note): Promise<void> {
  for (const writing of plan.writers) {
    const seen = await manyWriters(directory, writing, WRITING_SECONDS);
    const row = `${writing.files} files, ${writing.writesPerSecond} writes a second`;
    note(`${row}: core`, seen.core_percent);
    note(`${row}: loop delay`, seen.loop_delay_p99_ms);
    note(`${row}: resident`, seen.resident_mib);
  }
  for (const writesPerSecond of plan.writesCurve) {
    const seen = await manyWriters(directory, { files: 500, writesPerSecond, bytes: 512 }, WRITING_SECONDS);
    note(`curve: ${writesPerSecond} writes a second, % of a core`, seen.core_percent);
  }
}

async function visible(plan: Plan, directory: string, note: Note): Promise<void> {
  const seen = await lastByteToVisible(directory, plan.visibleBytes);
  const input = join(directory, "read.bin");
  writeInput(input, plan.visibleBytes);
  const read = await bare("read.ts", input);
  rmSync(input);
  note("visible beyond read", seen.seconds - read.wall_seconds);
}

/** Cost over numbers: of parts, of small files, and of streams that grow. */
async function curves(plan: Plan, directory: string, note: Note): Promise<void> {
  for (const parts of plan.partsCurve) {
    const input = join(directory, `parts-${parts}.bin`);
    writeInput(input, parts * PART_BYTES + 1_234_567);
    const ours = await uploadOneFile({ directory, input });
    rmSync(input);
    note(`curve: ${parts} parts, job cpu ms a part`, (ours.job_cpu_seconds / parts) * 1_000);
  }
  for (const count of plan.curve) {
    const small = await sluiceSmallFiles(directory, count);
    note(`curve: ${count} small files, cpu ms a file`, (small.cpu_seconds / count) * 1_000);
    const streams = await growing(directory, count, Math.min(plan.growingSeconds, CURVE_SECONDS));
    note(`curve: ${count} growing streams, resident MiB`, streams.resident_mib);
  }
}

const CURVE_SECONDS = 10;
const WRITING_SECONDS = 15;
const PART_BYTES = 8 * 1024 * 1024;

async function emptiness(plan: Plan, directory: string, note: Note): Promise<void> {
  const seen = await blackHole(directory, plan.growingFiles, plan.blackHoleSeconds);
  note("black hole resident gained", seen.grown_mib);
  note("black hole descriptors gained", seen.grown_descriptors);
  note("black hole recovered", seen.recovered_seconds);
}

async function dashboard({ dashboardStreams }: Plan, _directory: string, note: Note): Promise<void> {
  if (dashboardStreams === 0) return;
  const seen = await firstLoad(dashboardStreams);
  note("dashboard first page cold", seen.cold_ms);
  note("dashboard first page warm", seen.warm_ms);
  note("dashboard page", seen.page_ms);
  note("dashboard JavaScript KiB", seen.script_bytes / 1_024);
  note("dashboard interactive", seen.interactive_ms);
  note("dashboard table rows", seen.table_rows);
}
