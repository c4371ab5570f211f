"use client";
/** The fields of the record under readable names; what has not happened yet is left out. */
import Link from "next/link";
import type { ReactNode } from "react";
import { CopyButton } from "../ui/copy-button.tsx";
import { Time } from "../ui/time.tsx";
import { VisibleName } from "../ui/visible-name.tsx";
import { formatDuration } from "@sluice/control/units";
import type { StreamRow } from "@sluice/control/stream-row";

export function StreamFacts({ row, raw }: { row: StreamRow; raw: Readonly<Record<string, string>> }) {
  const pause = Number(raw["longest_pause_ms"] ?? 0);
  return (
    <dl className="grid grid-cols-1 gap-x-4 gap-y-2 text-sm sm:grid-cols-[9.5rem_minmax(0,1fr)]">
      <Fact name="Stream id">
        <Copied text={row.id} what="stream id" mono />
      </Fact>
      <Fact name="Object">
        {row.s3_key === undefined ? (
          <span className="text-muted">key not fixed yet</span>
        ) : (
          <Copied text={`${row.s3_bucket ?? ""}/${row.s3_key}`} what="bucket and key" />
        )}
      </Fact>
      <Fact name="ETag">{raw["etag"] && <Copied text={raw["etag"]} what="ETag" mono />}</Fact>
      <Fact name="CRC32">{raw["crc32"] && <Copied text={raw["crc32"]} what="CRC32" mono />}</Fact>
      <Fact name="Upload id">
        {row.s3_upload_id && <Copied text={row.s3_upload_id} what="upload id" mono />}
      </Fact>
      <Fact name="Store aborts it">
        {row.s3_upload_id && row.upload_aborts_at_utc && <Time at={row.upload_aborts_at_utc} />}
      </Fact>
      <Fact name="Watch">{row.watch && <VisibleName text={row.watch} />}</Fact>
      <Fact name="Source">{row.source && <VisibleName text={row.source} />}</Fact>
      <Fact name="Worker">
        {row.owner && (
          <Link href="/workers" className="hover:text-accent hover:underline">
            {row.owner}
          </Link>
        )}
      </Fact>
      <Fact name="Started">{row.started_at_utc && <Time at={row.started_at_utc} />}</Fact>
      <Fact name="Last activity">{row.last_activity_at_utc && <Time at={row.last_activity_at_utc} />}</Fact>
      <Fact name="Completed">{row.completed_at_utc && <Time at={row.completed_at_utc} />}</Fact>
      <Fact name="Verified">{verifiedWords(raw)}</Fact>
      <Fact name="Content type">{raw["content_type"]}</Fact>
      <Fact name="Part plan">{raw["part_plan"] && <code>{raw["part_plan"]}</code>}</Fact>
      <Fact name="Longest pause">{pause > 0 && formatDuration(pause)}</Fact>
      <Fact name="Requested">{row.requested_action}</Fact>
      <Fact name="Metadata">{raw["s3_metadata_key"] && <code>{raw["s3_metadata_key"]}</code>}</Fact>
      <Fact name="Not tidied">{row.tidy_error && <span className="text-warn">{row.tidy_error}</span>}</Fact>
      <Fact name="Supersedes">{row.supersedes && <StreamLink id={row.supersedes} />}</Fact>
      <Fact name="Superseded by">{row.superseded_by && <StreamLink id={row.superseded_by} />}</Fact>
    </dl>
  );
}

/** What was compared with what; a result of another version is shown unchanged. */
function verifiedWords({
  verify_mode: mode,
  verify_result: result,
  s3_upload_id: upload,
}: Readonly<Record<string, string>>): string | undefined {
  const how = mode === undefined ? "as it was sent" : (READ_AGAIN[mode] ?? mode);
  if (result === undefined) return mode === undefined ? undefined : `not yet; ${how}`;
  if (result === "recognised")
    return "the existing object against the file on disk: all their bytes were compared, nothing was sent";
  // It went up in one request.
  if (!upload && result === "identical")
    return "the store's checksum of the object against the bytes that were read from the file and sent";
  const words = `the object against the file on disk: ${how}`;
  return result === "identical" ? words : `${words} (${result})`;
}

const READ_AGAIN: Readonly<Record<string, string>> = {
  full: "every part is read again before Complete, and the store's checksum compared after it",
  edges:
    "the first and the last part are read again before Complete, and the store's checksum compared after it",
  off: "no part is read again; the store's checksum of what was sent is compared",
};

function Fact({ name, children }: { name: string; children: ReactNode }) {
  if (!children) return null;
  return (
    <>
      <dt className="text-muted max-sm:-mb-1.5">{name}</dt>
      <dd className="min-w-0 [overflow-wrap:anywhere]">{children}</dd>
    </>
  );
}

function Copied({ text, what, mono = false }: { text: string; what: string; mono?: boolean }) {
  return (
    <span className="inline-flex max-w-full items-start gap-1">
      {mono ? <code className="[overflow-wrap:anywhere]">{text}</code> : <VisibleName text={text} />}
      <CopyButton text={text} what={what} />
    </span>
  );
}

function StreamLink({ id }: { id: string }) {
  return (
    <Link href={`/streams/${encodeURIComponent(id)}`} className="text-accent hover:underline">
      <code>{id}</code>
    </Link>
  );
}
