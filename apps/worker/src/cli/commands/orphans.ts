/** `sluice orphans`: open uploads that no stream owns. Only our own uploads are ever aborted. */
import { randomUUID } from "node:crypto";
import { orphanBegan } from "@sluice/control/orphan-totals";
import { draftAbortUploads, type Draft } from "@sluice/control/draft";
import { endOfOrphan } from "@sluice/control/ending-uploads";
import { ageMs, formatBytes, plural } from "@sluice/control/units";
import { OrphanStore, redisTimeMs, type Orphan } from "@sluice/redis-schema";
import type { Command } from "commander";
import { askWorkers, DEFAULT_WAIT_MS, EXIT_OF_UNANSWERED, reportUnanswered } from "../actions/ask-workers.ts";
import { addPlanOptions, planOrRun, type PlanFlags } from "../actions/planned-action.ts";
import { CliError, EXIT, type ExitCode } from "../exit-codes.ts";
import { addJson, duration, durationOption } from "../options.ts";
import type { Output } from "../output/output.ts";
import { relative, type Column } from "../output/table.ts";
import type { CommonFlags } from "../perform.ts";
import { performOnRedis, type Session } from "../session.ts";

interface ListFlags extends CommonFlags {
  scan?: true;
  wait: number;
}

interface CleanFlags extends PlanFlags {
  olderThan?: number;
  onlyCopies?: true;
}

export function addOrphans(program: Command): void {
  const orphans = program
    .command("orphans")
    .summary("open uploads that no stream owns")
    .description("Open multipart uploads in S3 that no stream owns.");
  addJson(orphans.command("ls"))
    .summary("list orphans")
    .description("List the orphans that the last scan found, or scan first.")
    .option("--scan", "ask the workers to scan their buckets first")
    .addOption(durationOption("--wait <duration>", "how long to wait for the scan", DEFAULT_WAIT_MS))
    .action(async (flags: ListFlags) => {
      await performOnRedis(flags, (session) => list(session, flags));
    });
  const clean = orphans
    .command("clean")
    .summary("abort orphans")
    .description(
      "Abort orphans: the named ones, or all of our own that are old enough. Each one is checked again right before.",
    )
    .argument("[upload-id...]", "upload ids or prefixes of them")
    .option("--only-copies", "also those named that are the only copy of a file")
    .option("--older-than <duration>", "only uploads older than this (default: SLUICE_ORPHAN_AGE)", duration);
  addJson(addPlanOptions(clean)).action(async (ids: string[], flags: CleanFlags) => {
    await performOnRedis(flags, (session) =>
      planOrRun(session, "orphans clean", ["abort_uploads"], flags, () => draftOf(session, ids, flags)),
    );
  });
}

async function list(session: Session, flags: ListFlags): Promise<ExitCode> {
  const { out, context } = session;
  const scanned = flags.scan ? await scan(session, flags.wait) : EXIT.ok;
  const orphans = await new OrphanStore(context).orphans();
  orphans.sort((a, b) => orphanBegan(a) - orphanBegan(b));
  if (out.json) out.document(orphans);
  else show(out, orphans);
  return scanned;
}

async function scan(session: Session, waitMs: number): Promise<ExitCode> {
  const id = randomUUID();
  const { unanswered, results } = await askWorkers(
    session,
    { id, action: "scan_orphans", items: ["*"] },
    waitMs,
  );
  session.out.progressDone();
  if (unanswered) {
    reportUnanswered(session, unanswered, id, "sluice orphans ls");
    return EXIT_OF_UNANSWERED[unanswered];
  }
  const [result] = Object.values(results);
  if (result?.result === "done") return EXIT.ok;
  session.out.note(`The scan ${result?.result ?? "failed"}: ${result?.detail ?? "no reason was given"}`);
  return EXIT.failed;
}

function show(out: Output, orphans: readonly Orphan[]): void {
  const columns: Column<Orphan>[] = [
    { title: "upload id", cell: (one) => one.s3_upload_id },
    { title: "whose", cell: (one) => one.verdict.replace("_", " ") },
    { title: "began", align: "right", cell: (one) => relative(orphanBegan(one), out.nowMs) },
    { title: "ends", align: "right", cell: (one) => endCell(one, out.nowMs) },
    { title: "parts", align: "right", cell: (one) => String(one.parts ?? "-") },
    {
      title: "size",
      align: "right",
      cell: (one) => (one.bytes === undefined ? "-" : formatBytes(one.bytes)),
    },
    { title: "because", cell: (one) => one.because },
    { title: "object", cell: (one) => `s3://${one.s3_bucket}/${one.s3_key}` },
  ];
  out.table(columns, orphans);
  const bytes = orphans.reduce((sum, one) => sum + (one.bytes ?? 0), 0);
  out.note(`${plural(orphans.length, "orphan")}, ${formatBytes(bytes)}; --scan looks for more.`);
}

/** Of an only copy: until then it can be salvaged. */
function endCell(one: Orphan, nowMs: number): string {
  const end = endOfOrphan(one);
  return end === undefined ? "-" : relative(end.endsAt, nowMs);
}

async function draftOf(
  { context, config, out }: Session,
  given: readonly string[],
  flags: CleanFlags,
): Promise<Draft> {
  const orphans = await new OrphanStore(context).orphans();
  const olderThan = flags.olderThan ?? config.orphanAgeMs;
  const excluded: Draft["excluded"] = [];
  let wanted: Orphan[];
  if (given.length > 0) {
    wanted = given.map((text) => named(orphans, text));
    for (const { s3_upload_id: id, verdict, because } of wanted) {
      if (verdict === "only_copy" && flags.onlyCopies) continue;
      if (verdict !== "ours") excluded.push({ id, why: `it is ${verdict.replace("_", " ")}: ${because}` });
    }
  } else {
    // The smaller of both clocks counts, because one of them may have been set forward.
    const nowMs = Math.min(out.nowMs, await redisTimeMs(context.redis));
    wanted = orphans.filter((one) => ageMs(orphanBegan(one), nowMs) >= olderThan);
  }
  const takesOnlyCopies = given.length > 0 && flags.onlyCopies === true;
  const ours = wanted.filter(
    ({ verdict }) => verdict === "ours" || (takesOnlyCopies && verdict === "only_copy"),
  );
  return draftAbortUploads(ours, excluded, given.length > 0 ? 0 : olderThan);
}

function named(orphans: readonly Orphan[], given: string): Orphan {
  const exact = orphans.find(({ s3_upload_id: id }) => id === given);
  const matches = exact ? [exact] : orphans.filter(({ s3_upload_id: id }) => id.startsWith(given));
  const [only] = matches;
  if (only === undefined)
    throw new CliError(EXIT.failed, `No scan has found an upload ${given}: see orphans ls --scan.`);
  if (matches.length > 1) throw new CliError(EXIT.failed, `${given} is a prefix of several upload ids.`);
  return only;
}
