/** `sluice parts`: every acknowledged part of a stream; with `--compare`, also what S3 lists for its upload now. */
import { randomUUID } from "node:crypto";
import { formatBytes, formatDuration } from "@sluice/control/units";
import type { ListedPart, Part } from "@sluice/core";
import type { Command } from "commander";
import { askWorkers, DEFAULT_WAIT_MS, EXIT_OF_UNANSWERED, reportUnanswered } from "../actions/ask-workers.ts";
import { CliError, EXIT, type ExitCode } from "../exit-codes.ts";
import { findStream } from "../find-streams.ts";
import { addJson, durationOption } from "../options.ts";
import { relative, type Column, type Piece } from "../output/table.ts";
import type { CommonFlags } from "../perform.ts";
import { performOnRedis, type Session } from "../session.ts";

interface PartsFlags extends CommonFlags {
  compare?: true;
  wait: number;
}

type InS3 = "same" | "differs" | "missing";
type Row = Part & { in_s3?: InS3 };

export function addParts(program: Command): void {
  const command = program
    .command("parts")
    .summary("list the parts of a stream")
    .description("List every part of a stream that S3 acknowledged, with its ETag and checksum.")
    .argument("<id>", "stream id or a prefix of it")
    .option("--compare", "ask a worker what S3 lists for the upload, and compare")
    .addOption(durationOption("--wait <duration>", "how long to wait for the worker", DEFAULT_WAIT_MS));
  addJson(command).action(async (id: string, flags: PartsFlags) => {
    await performOnRedis(flags, (session) => parts(session, id, flags));
  });
}

async function parts(session: Session, given: string, flags: PartsFlags): Promise<ExitCode> {
  const { reader, out } = session;
  const id = await findStream(reader, given);
  const known = await reader.parts(id);
  let rows: Row[] = [...known.parts.values()].toSorted((a, b) => a.PartNumber - b.PartNumber);
  let exitCode: ExitCode = EXIT.ok;
  if (flags.compare) {
    const listed = await listedParts(session, id, flags.wait);
    if (typeof listed === "number") return listed;
    rows = rows.map((part) => ({ ...part, in_s3: compare(part, listed.get(part.PartNumber)) }));
    if (rows.some(({ in_s3 }) => in_s3 !== "same")) exitCode = EXIT.failed;
  }
  if (out.json) out.document(rows);
  else out.table(columns(out.nowMs, flags.compare === true), rows);
  if (rows.length === 0) out.note("No part has been acknowledged.");
  for (const { field, detail } of known.bad) out.note(`Part ${field} is left out: ${detail}.`);
  return exitCode;
}

function compare(part: Part, listed: ListedPart | undefined): InS3 {
  if (!listed) return "missing";
  return listed.ETag === part.ETag && listed.Size === part.Size ? "same" : "differs";
}

/** The listed parts by number; an exit code if no worker answered. */
async function listedParts(session: Session, id: string, waitMs: number) {
  const ask = { id: randomUUID(), action: "list_parts" as const, items: [id] };
  const { results, unanswered } = await askWorkers(session, ask, waitMs);
  session.out.progressDone();
  if (unanswered) {
    reportUnanswered(session, unanswered, ask.id, `sluice parts ${id} --compare`);
    return EXIT_OF_UNANSWERED[unanswered];
  }
  const answer = results[id];
  if (answer?.result !== "done") {
    throw new CliError(
      EXIT.failed,
      `S3 could not list the upload: ${answer?.detail ?? "no reason was given"}.`,
    );
  }
  // The worker wrote it from its own `Listing`, so its shape is known.
  const listing = answer.data as { kind: "alive"; parts: ListedPart[] } | { kind: "gone" };
  if (listing.kind === "gone") session.out.note("The upload no longer exists in S3.");
  const listed = listing.kind === "alive" ? listing.parts : [];
  return new Map(listed.map((part) => [part.PartNumber, part]));
}

function columns(nowMs: number, compared: boolean): Column<Row>[] {
  const inS3 = ({ in_s3: state = "missing" }: Row): Piece =>
    state === "same" ? { text: state, style: "green" } : { text: state, style: "red" };
  return [
    { title: "part", align: "right", cell: (part) => String(part.PartNumber) },
    { title: "offset", align: "right", cell: (part) => String(part.Offset) },
    { title: "size", align: "right", cell: (part) => formatBytes(part.Size) },
    { title: "crc32", cell: (part) => part.ChecksumCRC32 ?? "-" },
    { title: "sent", align: "right", cell: (part) => relative(part.UploadedAt, nowMs) },
    {
      title: "took",
      align: "right",
      cell: (part) => (part.DurationMs === undefined ? "-" : formatDuration(part.DurationMs)),
    },
    {
      title: "tries",
      align: "right",
      cell: (part) => (part.Copied ? "copied" : String(part.Attempts ?? "-")),
    },
    ...(compared ? [{ title: "in s3", cell: inS3 }] : []),
    { title: "etag", cell: (part) => part.ETag },
  ];
}
