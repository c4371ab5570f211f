/** Uploads without a stream: those a purge left to be aborted, and those the janitor's scan found. */
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

  /** Entries that cannot be read are passed over; a scan writes them anew. */
  async orphans(): Promise<Orphan[]> {
    const { redis, keys } = this.#context;
    const orphans: Orphan[] = [];
    for await (const { parsed } of eachEntry(redis, keys.orphans, parseOrphan)) {
      if (parsed.kind === "ok") orphans.push(parsed.value);
    }
    return orphans;
  }

  /** Undefined: no scan lists it, or its entry cannot be read. */
  async orphan(uploadId: string): Promise<Orphan | undefined> {
    const { redis, keys } = this.#context;
    const [entry] = await readEntries(redis, keys.orphans, [uploadId], parseOrphan);
    return entry?.parsed.kind === "ok" ? entry.parsed.value : undefined;
  }

  /**
   * What one scan of a bucket found replaces what was known of that bucket (under `prefix`), except when an upload was
   * first seen: that stays.
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

  /** What a purge left for a worker. */
  async toAbort(): Promise<UploadToAbort[]> {
    const { redis, keys } = this.#context;
    const uploads: UploadToAbort[] = [];
    for await (const { parsed } of eachEntry(redis, keys.uploadsToAbort, parseToAbort)) {
      if (parsed.kind === "ok") uploads.push(parsed.value);
    }
    return uploads;
  }

  /** For a worker that found an upload of ours to abort and may not get to it now. */
  async leaveToAbort(upload: UploadToAbort): Promise<void> {
    const { redis, keys } = this.#context;
    await callRedis("leave an upload", () =>
      redis.hset(keys.uploadsToAbort, upload.s3_upload_id, JSON.stringify(upload)),
    );
  }

  /** It is gone from the store. */
  async aborted(uploadIds: readonly string[]): Promise<void> {
    const { redis, keys } = this.#context;
    await removeEntries(redis, keys.uploadsToAbort, uploadIds);
  }
}

/** Id of the stream that has taken an S3 key. */
export async function holderOfKey(
  { redis, keys }: SchemaContext,
  bucket: string,
  key: string,
): Promise<string | undefined> {
  const id = await callRedis("read a key's holder", () => redis.hget(keys.byKey, toArg(`${bucket}/${key}`)));
  return id ?? undefined;
}
