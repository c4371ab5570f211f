/** docs/internals/phase-7.md: each function, field and status of the founding document has a symbol that is there and a test that is there. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "../..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");

/** As the founding document names them. */
const FOUNDING = {
  Functions: [
    "get_redis_connection",
    "init_stream_metadata",
    "get_active_stream_ids",
    "get_pending_completion_stream_ids",
    "get_stream_meta",
    "get_stream_parts",
    "get_stream_next_part",
    "get_stream_bytes_sent",
    "add_stream_to_failed_set",
    "_initialize_from_checkpoint",
    "resume_stream_processing",
    "main",
    "process_file_write",
    "finalize_stream",
    "active_processors",
    "upload_part",
    "complete_multipart_upload",
    "remove_stream_keys",
  ],
  Fields: [
    "original_path",
    "s3_bucket",
    "s3_key_prefix",
    "s3_upload_id",
    "status",
    "next_part",
    "bytes_sent",
    "last_activity_at_utc",
    "failure_reason",
    "PartNumber",
    "ETag",
    "Size",
  ],
  Statuses: [
    "missing",
    "processing",
    "pending_completion",
    "s3_completed",
    "completed",
    "failed_<reason>",
    "failed_file_missing_on_resume",
  ],
} as const;

interface Row {
  section: string;
  name: string;
  symbol: string;
  file: string;
  title: string;
  test: string;
}

const ROW =
  /^\| (?<name>[^|]+) \| `(?<symbol>[^`]+)` \(`(?<file>[^`]+)`\) \| "(?<title>[^|]+)" \(`(?<test>[^`]+)`\) \|/;

function rowsOf(page: string): Row[] {
  return page.split(/^## /m).flatMap((part) => {
    const [section = "", ...lines] = part.split("\n");
    return lines
      .filter((line) => /^\| (?!founding document|---)/.test(line))
      .map((line) => {
        const groups = ROW.exec(line)?.groups as Omit<Row, "section"> | undefined;
        if (!groups) throw new Error(`not a row of this page: ${line}`);
        return { ...groups, section, name: groups.name.replaceAll("`", "") };
      });
  });
}

describe("docs/internals/phase-7.md", () => {
  const rows = rowsOf(read("docs/internals/phase-7.md"));

  it.each(Object.entries(FOUNDING))(
    "names all %s of the founding document, and no others",
    (section, names) => {
      expect(rows.filter((row) => row.section === section).map(({ name }) => name)).toEqual([...names]);
    },
  );

  it.each(rows.map((row) => [row.section, row.name, row] as const))(
    "%s: %s is where it says",
    (...[, , row]) => {
      expect(read(row.file).match(new RegExp(`\\b${row.symbol}\\b`))?.[0], row.file).toBe(row.symbol);
      // A title may be made of a template whose number is a constant.
      expect(read(row.test).replaceAll("${MANY}", "500").includes(row.title), row.test).toBe(true);
    },
  );
});
