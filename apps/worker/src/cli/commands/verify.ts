/**
 * `sluice verify`: checks whether an object in S3 matches what was recorded when it was sealed. A worker checks it;
 * with `--deep` it reads the object back.
 */
import { randomUUID } from "node:crypto";
import { formatDuration } from "@sluice/config";
import type { Ask } from "@sluice/control/run-plan";
import type { ItemResult } from "@sluice/redis-schema";
import type { Command } from "commander";
import type { FileBeside, Sha256 } from "../../requests/read-back.ts";
import type { Check } from "../../requests/verify-report.ts";
import { askWorkers, DEFAULT_WAIT_MS, EXIT_OF_UNANSWERED, reportUnanswered } from "../actions/ask-workers.ts";
import { CliError, EXIT, type ExitCode } from "../exit-codes.ts";
import { lookUpStream } from "../find-streams.ts";
import { addJson, duration } from "../options.ts";
import type { Output } from "../output/output.ts";
import type { Piece } from "../output/table.ts";
import type { CommonFlags } from "../perform.ts";
import { performOnRedis, type Session } from "../session.ts";
import { selectRows } from "../stream-rows.ts";

interface VerifyFlags extends CommonFlags {
  deep?: true;
  bucket?: string;
  request?: string;
  wait?: number;
}

/** Reading an object back takes time in proportion to its size. */
const DEEP_WAIT_MS = 3_600_000;

interface Report {
  s3_bucket: string;
  s3_key: string;
  size: number;
  checks: Check[];
  sha256?: Sha256;
  /** With `--deep`. */
  file?: FileBeside;
}

/** The file is there, or may be, and nobody can say that its bytes are those of the object. */
const UNSURE: ReadonlySet<FileBeside | undefined> = new Set(["changed", "unread"]);

export function addVerify(program: Command): void {
  const command = program
    .command("verify")
    .summary("compare an object with its record")
    .description(
      "Compare a finished object with what was recorded when it was sealed: HeadObject, and the parts' combined CRC32. --deep reads it back and compares its bytes, with the file's too where that is still there, and prints the SHA-256 of both. With --deep, exit code 0 says that the local file is the same too, or no longer exists; 65, that it has changed since or cannot be read.",
    )
    .argument("[id|key]", "stream id, a prefix of it, or the key of an object")
    .option("--request <id>", "show the result of an earlier verify instead")
    .option("--deep", "read the whole object back")
    .option("--bucket <name>", "bucket of the key (default: SLUICE_S3_BUCKET)")
    .option(
      "--wait <duration>",
      `how long to wait for the worker (default: ${formatDuration(DEFAULT_WAIT_MS)}, with --deep ${formatDuration(DEEP_WAIT_MS)})`,
      duration,
    );
  addJson(command).action(async (given: string | undefined, flags: VerifyFlags) => {
    await performOnRedis(flags, (session) => verify(session, given, flags));
  });
}

type Verify = Ask & { action: "verify" };

async function verify(session: Session, given: string | undefined, flags: VerifyFlags): Promise<ExitCode> {
  const { out } = session;
  const ask =
    flags.request === undefined
      ? await newAsk(session, given, flags)
      : await askedBefore(session, flags.request);
  const waitMs = flags.wait ?? (ask.options?.["deep"] === true ? DEEP_WAIT_MS : DEFAULT_WAIT_MS);
  const { results, unanswered } = await askWorkers(session, ask, waitMs);
  out.progressDone();
  const [item = ""] = ask.items;
  const result = results[item];
  if (!result) {
    const why = unanswered ?? "in_time";
    reportUnanswered(session, why, ask.id, `sluice verify --request ${ask.id}`);
    return EXIT_OF_UNANSWERED[why];
  }
  if (out.json) out.document({ item, ...result });
  else show(out, item, result);
  return exitOf(result);
}

/** With `--deep`, 0 allows a script to delete the file. */
function exitOf({ result, data }: ItemResult): ExitCode {
  if (result !== "done") return EXIT.failed;
  return UNSURE.has(reportOf(data)?.file) ? EXIT.fileDiffers : EXIT.ok;
}

/** A worker wrote it, so its shape is known. */
function reportOf(data: ItemResult["data"]): Report | undefined {
  return data as Report | undefined;
}

async function newAsk(session: Session, given: string | undefined, flags: VerifyFlags): Promise<Verify> {
  if (given === undefined) throw new CliError(EXIT.usage, "Name a stream or the key of an object.");
  const id = (await lookUpStream(session.reader, given)) ?? (await streamOfKey(session, given));
  const bucket = flags.bucket ?? session.config.s3Bucket;
  if (id === undefined && bucket === "") {
    throw new CliError(EXIT.usage, `There is no stream ${given}; for a key pass --bucket too.`);
  }
  if (id === undefined) await refuseUnknownBucket(session, bucket);
  return {
    id: randomUUID(),
    action: "verify",
    items: [id ?? given],
    options: { deep: flags.deep === true, ...(id === undefined ? { bucket } : {}) },
  };
}

/** Only a worker that uses this bucket can answer. A worker that does not report its bucket may be one. */
async function refuseUnknownBucket({ registry }: Session, bucket: string): Promise<void> {
  const buckets = new Set<string>();
  for (const { lease } of await registry.list()) {
    if (lease.kind !== "ok") continue;
    if (lease.value.s3_bucket === undefined) return;
    buckets.add(lease.value.s3_bucket);
  }
  if (buckets.size === 0 || buckets.has(bucket)) return;
  const known = [...buckets].toSorted((a, b) => a.localeCompare(b)).join(", ");
  throw new CliError(EXIT.failed, `No live worker uses the bucket ${bucket}; live workers use ${known}.`);
}

/** The request is not filed again: the command only waits for its answer. */
async function askedBefore({ requests }: Session, id: string): Promise<Verify> {
  const request = await requests.read(id);
  if (request.kind !== "ok" || request.value.action !== "verify") {
    throw new CliError(EXIT.failed, `There is no verify request ${id} from the last day.`);
  }
  const { items, options } = request.value;
  return { id, action: "verify", items, ...(options === undefined ? {} : { options }) };
}

/** The newest stream with this key. */
async function streamOfKey({ reader, out }: Session, key: string): Promise<string | undefined> {
  for await (const row of selectRows(reader, ["completed", "pending_completion"], { path: key }, out.nowMs)) {
    if (row.s3_key === key) return row.id;
  }
  return undefined;
}

const MARKS: Record<"true" | "false" | "null", Piece> = {
  true: { text: "ok", style: "green" },
  false: { text: "wrong", style: "red" },
  null: { text: "-", style: "dim" },
};

function show(out: Output, item: string, result: ItemResult): void {
  const report = reportOf(result.data);
  if (!report) {
    out.line({ text: result.result, style: "red" }, "  ", result.detail ?? "");
    return;
  }
  out.line(`s3://${report.s3_bucket}/${report.s3_key}`, item === report.s3_key ? "" : `  (stream ${item})`);
  out.table(
    [
      { title: "", cell: ({ ok }: Check) => MARKS[`${ok}`] },
      { title: "check", cell: ({ name }: Check) => name },
      { title: "found", cell: ({ detail }: Check) => detail },
    ],
    report.checks,
  );
  if (report.sha256 !== undefined) {
    out.line("SHA-256 object  ", report.sha256.object);
    out.line("SHA-256 file    ", report.sha256.file ?? { text: "not read", style: "dim" });
  }
  const fileCheck = report.checks.find(({ name }) => name === "file");
  if (result.result === "done" && UNSURE.has(report.file))
    out.line(
      { text: "The object is as recorded, the local file may not be: ", style: "yellow" },
      fileCheck?.detail ?? "",
    );
  else if (result.result === "done") out.line({ text: "As recorded.", style: "green" });
  else if (report.checks.some(({ ok }) => ok === false))
    out.line({ text: "Does not match the record.", style: "red" });
  else out.line({ text: `Not verified: ${result.detail ?? ""}`, style: "red" });
}
