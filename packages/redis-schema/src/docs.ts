/** The page `docs/reference/redis-keys.md`, generated from the tables of this package, so that the two cannot differ. */
import { KEYS, type KeyFacts } from "./key-table.ts";
import { META_FIELDS, describeField } from "./records/stream-fields.ts";
import { SCRIPTS } from "./scripts.ts";
import { KEYS_VERSION } from "./version.ts";

export function redisKeysPage(): string {
  return [
    "# Redis keys",
    "",
    "Generated from `packages/redis-schema` by `node packages/redis-schema/scripts/write-docs.ts`; do not edit it by hand.",
    "",
    `Schema version ${KEYS_VERSION}. Every key begins with \`SLUICE_KEY_PREFIX\`; on Redis Cluster it must contain a`,
    "`{hash tag}`, since every change of several keys is one atomic script. Fields are read with `redis-cli` as they",
    "are: the same names appear in `--json`, in logs and in the dashboard. Times ending in `_utc` are ISO text; paths are",
    "raw bytes.",
    "",
    "## Keys",
    "",
    "| key | type | kept | written by | meaning |",
    "|---|---|---|---|---|",
    ...Object.values<KeyFacts>(KEYS).map(keyRow),
    "",
    "## Fields of `stream:<id>:meta`",
    "",
    "| field | written by | meaning |",
    "|---|---|---|",
    ...META_FIELDS.map((field) => {
      const { meaning, writer } = describeField(field);
      return `| \`${field}\` | ${writer} | ${cell(meaning)} |`;
    }),
    "",
    "A record with only `original_path, s3_bucket, s3_key_prefix, s3_upload_id, status` (a missing status means",
    "`processing`) and parts with `PartNumber, ETag, Size` was written by an early version: its stream resumes, and the rest is",
    "filled in. A field of `stream:<id>:parts` is a part number; its value is JSON of `PartNumber, ETag, Size, Offset,",
    'ChecksumCRC32, UploadedAt, Attempts, DurationMs`, and `"Copied":true` for a part that was taken from an earlier object',
    "inside the store.",
    "",
    "## Scripts",
    "",
    "Each stream write checks worker lease, owner, fence, state and revision, and keeps the stream in exactly one index.",
    "A command sent twice changes nothing the second time.",
    "",
    "| script | what it does |",
    "|---|---|",
    ...Object.values(SCRIPTS).map(({ name, purpose }) => `| \`${name}\` | ${cell(purpose)} |`),
    "",
  ].join("\n");
}

function keyRow({ pattern, type, kept, writer, meaning }: KeyFacts): string {
  return `| \`${pattern}\` | ${type} | ${cell(kept ?? "until removed")} | ${cell(writer)} | ${cell(meaning)} |`;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}
