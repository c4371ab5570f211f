/**
 * Uploads that are the only copy of their bytes and that will end, for webhooks. Every failed record is read for it, so it is
 * looked at less often than workers and watches.
 */
import { endingUploads, endingWords, retentionOf, type EndingUpload } from "@sluice/control/ending-uploads";
import { displayPath, type Clock } from "@sluice/core";
import { KEPT } from "@sluice/redis-schema";
import type { ListedStream, OrphanStore, StreamReader, WorkerListing } from "@sluice/redis-schema";

const LOOK_EVERY_MS = 60_000;

export interface EndingWatchDeps {
  reader: Pick<StreamReader, "page">;
  orphans: Pick<OrphanStore, "orphans">;
  clock: Pick<Clock, "wallMs" | "monotonicMs">;
}

export class EndingWatch {
  readonly #deps: EndingWatchDeps;
  #nextAtMs = -Infinity;

  constructor(deps: EndingWatchDeps) {
    this.#deps = deps;
  }

  /** Undefined: it is too early to look again. */
  async look(workers: readonly WorkerListing[]): Promise<EndingUpload[] | undefined> {
    const { clock, orphans } = this.#deps;
    if (clock.monotonicMs() < this.#nextAtMs) return undefined;
    const found = { rows: await this.#failed(), orphans: await orphans.orphans() };
    this.#nextAtMs = clock.monotonicMs() + LOOK_EVERY_MS;
    return endingUploads(found, retentionOf(workers), clock.wallMs());
  }

  async #failed(): Promise<ListedStream[]> {
    const rows: ListedStream[] = [];
    let cursor: string | undefined;
    do {
      const page = await this.#deps.reader.page("failed", {
        limit: KEPT.pageOfRecords,
        ...(cursor === undefined ? {} : { cursor }),
      });
      rows.push(...page.rows);
      cursor = page.next;
    } while (cursor !== undefined);
    return rows;
  }
}

/** What a receiver gets, as text. `cause`: in words, with the time that is left now. */
export function endingData(upload: EndingUpload, nowMs: number): Readonly<Record<string, string>> {
  const { uploadId, streamId, bucket, key, path, bytes, endsAt, by } = upload;
  return {
    ...(streamId === undefined ? {} : { stream_id: streamId }),
    s3_bucket: bucket,
    s3_key: key,
    s3_upload_id: uploadId,
    original_path: displayPath(path),
    bytes: String(bytes),
    ends_at: new Date(endsAt).toISOString(),
    by,
    cause: endingWords(upload, nowMs),
  };
}
