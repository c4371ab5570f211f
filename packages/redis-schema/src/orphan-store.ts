/** Uploads without a stream: those that a purge left to be aborted, and those that the janitor's scan found. */
import type { SchemaContext } from "./context.ts";
import { eachEntry, readEntries, removeEntries } from "./hash-entries.ts";
import { parseOrphan, parseToAbort, type Orphan, type UploadToAbort } from "./records/upload-entries.ts";
import { toArg } from "./records/text.ts";
import { callRedis } from "./replies.ts";

export class OrphanStore {
  readonly #context: SchemaContext;

  constructor(context: SchemaContext) {
    this.#context = context;
  }

  /** Entries that cannot be parsed are skipped; a scan writes them again. */
  async orphans(): Promise<Orphan[]> {
    const { redis, keys } = this.#context;
    const orphans: Orphan[] = [];
    for await (const { parsed } of eachEntry(redis, keys.orphans, parseOrphan)) {
      if (parsed.kind === "ok") orphans.push(parsed.value);
    }
    return orphans;
  }

  /** Undefined: no scan lists it, or its entry cannot be parsed. */
  async orphan(uploadId: string): Promise<Orphan | undefined> {
    const { redis, keys } = this.#context;
    const [entry] = await readEntries(redis, keys.orphans, [uploadId], parseOrphan);
    return entry?.parsed.kind === "ok" ? entry.parsed.value : undefined;
  }

  /**
   * The result of a scan replaces what was known of the bucket (under `prefix`), except the time when an upload was
   * first seen.
   */
  async replaceScan(
    bucket: string,
    prefix: string,
    found: readonly Omit<Orphan, "first_seen_at_utc">[],
  ): Promise<void> {
    const { redis, keys } = this.#context;
    const known = new Map((await this.orphans()).map((orphan) => [orphan.s3_upload_id, orphan]));
    const seen = new Set(found.map((orphan) => orphan.s3_upload_id));
    const gone = [...known.values()].filter(
      (orphan) =>
        orphan.s3_bucket === bucket && orphan.s3_key.startsWith(prefix) && !seen.has(orphan.s3_upload_id),
    );
    const flat = found.flatMap((orphan) => {
      const first_seen_at_utc = known.get(orphan.s3_upload_id)?.first_seen_at_utc ?? orphan.last_seen_at_utc;
      return [orphan.s3_upload_id, JSON.stringify({ ...orphan, first_seen_at_utc } satisfies Orphan)];
    });
    if (flat.length > 0) await callRedis("record orphans", () => redis.hset(keys.orphans, ...flat));
    await this.removeOrphans(gone.map((orphan) => orphan.s3_upload_id));
  }

  async removeOrphans(uploadIds: readonly string[]): Promise<void> {
    const { redis, keys } = this.#context;
    await removeEntries(redis, keys.orphans, uploadIds);
  }

  /** Uploads that a purge left for a worker. */
  async toAbort(): Promise<UploadToAbort[]> {
    const { redis, keys } = this.#context;
    const uploads: UploadToAbort[] = [];
    for await (const { parsed } of eachEntry(redis, keys.uploadsToAbort, parseToAbort)) {
      if (parsed.kind === "ok") uploads.push(parsed.value);
    }
    return uploads;
  }

  /** For a worker that found one of our uploads to abort and may not be able to do it now. */
  async leaveToAbort(upload: UploadToAbort): Promise<void> {
    const { redis, keys } = this.#context;
    await callRedis("leave an upload", () =>
      redis.hset(keys.uploadsToAbort, upload.s3_upload_id, JSON.stringify(upload)),
    );
  }

  /** It no longer exists in the store. */
  async aborted(uploadIds: readonly string[]): Promise<void> {
    const { redis, keys } = this.#context;
    await removeEntries(redis, keys.uploadsToAbort, uploadIds);
  }
}

/** Id of the stream that owns an S3 key. */
export async function holderOfKey(
  { redis, keys }: SchemaContext,
  bucket: string,
  key: string,
): Promise<string | undefined> {
  const id = await callRedis("read a key's holder", () => redis.hget(keys.byKey, toArg(`${bucket}/${key}`)));
  return id ?? undefined;
}
