/** `sluice verify`: is an object in S3 what was recorded when it was sealed? A worker looks, and with `--deep` reads it back. */
import { randomUUID } from "node:crypto";
import type { ItemResult } from "@sluice/redis-schema";
import type { Command } from "commander";
import type { Check } from "../../streams/verify-report.ts";
import { askWorkers, DEFAULT_WAIT_MS, EXIT_OF_UNANSWERED, tellUnanswered } from "../actions/ask-workers.ts";
import { CliError, EXIT, type ExitCode } from "../exit-codes.ts";
import { lookForStream } from "../find-streams.ts";
import { addJson, duration } from "../options.ts";
import type { Output } from "../output/output.ts";
import type { Piece } from "../output/table.ts";
import type { CommonFlags } from "../perform.ts";
import { performOnRedis, type Session } from "../session.ts";
import { selectRows } from "../stream-rows.ts";

interface VerifyFlags extends CommonFlags {
  deep?: true;
  bucket?: string;
  wait?: number;
}

/** Reading back is as long as the object is large. */
const DEEP_WAIT_MS = 3_600_000;

interface Report {
  s3_bucket: string;
  s3_key: string;
  size: number;
  checks: Check[];
}

export function addVerify(program: Command): void {
  const command = program
    .command("verify")
    .summary("compare an object with its record")
    .description(
      "Compare a finished object with what was recorded when it was sealed: HeadObject, and the parts' combined CRC32. --deep reads it back and compares its bytes, with the file's too where that is still there.",
    )
    .argument("<id|key>", "id of a stream, its beginning, or the key of an object")
    .option("--deep", "read the whole object back")
    .option("--bucket <name>", "bucket of the key (default: SLUICE_S3_BUCKET)")
    .option("--wait <duration>", "how long to wait for the worker (default: 30s, with --deep 1h)", duration);
  addJson(command).action(async (given: string, flags: VerifyFlags) => {
    await performOnRedis(flags, (session) => verify(session, given, flags));
  });
}

async function verify(session: Session, given: string, flags: VerifyFlags): Promise<ExitCode> {
  const { config, out } = session;
  const bucket = flags.bucket ?? config.s3Bucket;
  const item = (await lookForStream(session.reader, given)) ?? (await streamOfKey(session, given)) ?? given;
  const isKey = item === given && (await session.reader.rows([item]))[0] === undefined;
  if (isKey && bucket === "") {
    throw new CliError(EXIT.usage, `There is no stream ${given}; for a key say --bucket too.`);
  }
  const options = { deep: flags.deep === true, ...(isKey ? { bucket } : {}) };
  const ask = { id: randomUUID(), action: "verify" as const, items: [item], options };
  const waitMs = flags.wait ?? (flags.deep ? DEEP_WAIT_MS : DEFAULT_WAIT_MS);
  const { results, unanswered } = await askWorkers(session, ask, waitMs);
  out.progressDone();
  const result = results[item];
  if (!result) {
    const why = unanswered ?? "in_time";
    tellUnanswered(session, why, ask.id, "sluice show");
    return EXIT_OF_UNANSWERED[why];
  }
  if (out.json) out.document({ item, ...result });
  else show(out, item, result);
  return result.result === "done" ? EXIT.ok : EXIT.failed;
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
  // Written by a worker of ours.
  const report = result.data as Report | undefined;
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
  if (result.result === "done") out.line({ text: "As recorded.", style: "green" });
  else out.line({ text: `Not as recorded: ${result.detail ?? ""}`, style: "red" });
}
