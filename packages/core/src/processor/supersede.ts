/** Two files never meet in one object: a stream whose file is another one now ends, and that file gets its own stream. */
import { StreamFailure } from "../errors.ts";
import { isoNow } from "../ports/clock.ts";
import { takenKeys } from "../paths/object-key.ts";
import type { FileFacts } from "../stream/identity.ts";
import { newRecord } from "../stream/new-record.ts";
import type { StreamRecord } from "../stream/record.ts";
import { failed } from "../stream/state.ts";
import { reach, sendingDone, type Life, type Step } from "./life.ts";
import type { OpenContext } from "./open-object.ts";
import { findOwnUpload } from "./own-upload.ts";

/** `facts` of the file that stands there now; undefined when that is not a regular file. */
export async function supersede(
  life: Life,
  because: "file_replaced" | "file_truncated",
  facts: FileFacts | undefined,
): Promise<Step> {
  const { context } = life;
  const { held } = context;
  await sendingDone(life);
  if (!facts) throw new StreamFailure("file_missing", "what stands at the path now is not a regular file");
  const successor = successorOf(life, facts);
  // Without an acknowledged part there is nothing to keep: neither upload nor record.
  const worthless = held.parts.size === 0;
  if (worthless) await abortUpload(context);
  await reach(context, "superseding");
  const { record } = held;
  await held.replaceBy(successor, [`takes the place of ${record.id}: ${because}`], {
    patch: {
      status: failed(because),
      failure_reason: because,
      failure_detail: `superseded by ${successor.id}`,
      superseded_by: successor.id,
      waiting_for: null,
    },
    releasePath: true,
    releaseKeys: takenKeys(record),
    remove: worthless,
    log: [`${because}: a new generation, ${successor.id}, takes its place`],
    event: { type: worthless ? "removed" : "state", detail: because },
  });
  await reach(context, "superseded");
  return { kind: "ended", ending: { kind: "superseded", successor } };
}

function successorOf(life: Life, facts: FileFacts): StreamRecord {
  const { held, deps, rules } = life.context;
  const { record } = held;
  return newRecord({
    id: deps.newId(),
    path: record.original_path,
    source: record.source,
    watch: record.watch,
    bucket: record.s3_bucket,
    keyPrefix: record.s3_key_prefix,
    contentType: record.content_type ?? "application/octet-stream",
    verify: rules.verify,
    plan: rules.plan,
    owner: deps.worker.id,
    nowUtc: isoNow(deps.clock),
    facts,
    supersedes: held.parts.size > 0 ? { id: record.id } : undefined,
  });
}

/** The stream's upload, also one whose Create was answered after the record was last written. */
export async function abortUpload(context: OpenContext): Promise<void> {
  const { held, deps, store, signal } = context;
  const { s3_bucket: bucket, s3_key: key, s3_upload_id: known, create_intent_at_utc } = held.record;
  if (key === undefined) return;
  const interrupted = known === undefined && create_intent_at_utc !== undefined;
  const uploadId = interrupted ? (await findOwnUpload(context, { bucket, key }))?.uploadId : known;
  if (uploadId === undefined) return;
  await store.call("AbortMultipartUpload", () => deps.store.abort({ bucket, key, uploadId }), signal);
}
