/**
 * A row as stored by the hundred thousand: always of one shape, which the engine stores as a plain record instead of a
 * dictionary, and with one copy of each text that many rows share.
 */
import type { StreamRow } from "@sluice/control/stream-row";

export class RowCompactor {
  readonly #texts = new Map<string, string>();

  compact(row: StreamRow): StreamRow {
    return {
      id: row.id,
      status: this.#shared(row.status),
      kind: row.kind,
      index: row.index,
      score: row.score,
      original_path: row.original_path,
      source: this.#shared(row.source),
      watch: this.#shared(row.watch),
      s3_bucket: this.#shared(row.s3_bucket),
      s3_key_prefix: this.#shared(row.s3_key_prefix),
      s3_key: row.s3_key,
      s3_upload_id: row.s3_upload_id,
      upload_aborts_at_utc: row.upload_aborts_at_utc,
      create_intent_at_utc: row.create_intent_at_utc,
      started_at_utc: row.started_at_utc,
      last_activity_at_utc: row.last_activity_at_utc,
      unprotected_since_utc: row.unprotected_since_utc,
      protected_bytes: row.protected_bytes,
      protected_at_utc: row.protected_at_utc,
      completed_at_utc: row.completed_at_utc,
      failure_reason: this.#shared(row.failure_reason),
      failure_detail: row.failure_detail,
      owner: this.#shared(row.owner),
      waiting_for: row.waiting_for,
      requested_action: this.#shared(row.requested_action),
      supersedes: row.supersedes,
      superseded_by: row.superseded_by,
      set_apart: this.#shared(row.set_apart),
      source_state: this.#shared(row.source_state),
      failed_at_utc: row.failed_at_utc,
      last_known_size: row.last_known_size,
      completed_by: this.#shared(row.completed_by),
      verify_mode: this.#shared(row.verify_mode),
      verify_result: this.#shared(row.verify_result),
      tidy_error: row.tidy_error,
      etag: row.etag,
      part_plan: this.#shared(row.part_plan),
      next_part: row.next_part,
      bytes_sent: row.bytes_sent,
      file_size: row.file_size,
      fence: row.fence,
      revision: row.revision,
      longest_pause_ms: row.longest_pause_ms,
      name_number: row.name_number,
      schema_version: row.schema_version,
    } satisfies Record<keyof StreamRow, unknown>;
  }

  #shared<T extends string | undefined>(text: T): T {
    if (text === undefined) return text;
    const known = this.#texts.get(text);
    if (known !== undefined) return known as T;
    this.#texts.set(text, text);
    return text;
  }
}
