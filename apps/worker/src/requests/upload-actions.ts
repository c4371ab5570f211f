/** What can be asked of the uploads in the bucket: a scan for orphans, and the clean-up of those a plan named. */
import { displayPath, StoreError, type Clock, type FileSource, type StoreTrouble } from "@sluice/core";
import type { Orphan } from "@sluice/redis-schema";
import { asJson, type AnswerDeps } from "./request-answers.ts";
import { DESTRUCTIVE_MOST_MS, TOO_OLD } from "./request-decisions.ts";
import type { Answer, Task } from "./request-desk.ts";
import type { Watch } from "../files/watch/watch.ts";
import type { JanitorDeps } from "../streams/janitor.ts";
import {
  judge,
  keyHolder,
  ownedUploads,
  scanOrphans,
  type OwnedUploads,
  type ScanDeps,
} from "./scan-orphans.ts";

export interface UploadActionDeps extends JanitorDeps {
  clock: Clock;
  prefix: string;
  watches: readonly Watch[];
  held: ScanDeps["held"];
  files: FileSource;
}

export function uploadActions(
  deps: UploadActionDeps,
): Pick<AnswerDeps["others"], "scan_orphans" | "abort_uploads"> {
  const scan: ScanDeps = {
    context: deps.context,
    store: deps.store,
    orphans: deps.orphans,
    clock: deps.clock,
    bucket: deps.bucket,
    prefix: deps.prefix,
    redisEmptied: deps.locked,
    held: deps.held,
    localFile: (key) => fileOfKey(deps, key),
  };
  const owned = ownedLately(scan, deps.clock);
  return {
    async scan_orphans({ item }) {
      if (item !== "*" && item !== deps.bucket) return { kind: "pending" };
      return { kind: "done", data: asJson(await scanOrphans(scan)) };
    },
    async abort_uploads(task) {
      const { item: uploadId } = task;
      const known = await deps.orphans.orphan(uploadId);
      if (known !== undefined && known.s3_bucket !== deps.bucket) return { kind: "pending" };
      if (!(await task.turn())) return { kind: "pending" };
      if (!known)
        return { kind: "refused", detail: "no scan lists this upload: it is gone, or a stream owns it" };
      if (deps.locked())
        return {
          kind: "refused",
          detail: "Redis is being rebuilt from S3: nothing is cleaned up until that is over",
        };
      if ((await task.ageMs()) > DESTRUCTIVE_MOST_MS) return { kind: "refused", detail: TOO_OLD };
      return await abortOrphan(deps, scan, known, await owned(), task);
    },
  };
}

/** Looked at once more right before the abort, by its own key alone: a stream may have taken it up meanwhile. */
async function abortOrphan(
  deps: UploadActionDeps,
  scan: ScanDeps,
  known: Orphan,
  lately: OwnedUploads,
  task: Task,
): Promise<Answer> {
  const { s3_upload_id: uploadId, s3_bucket: bucket, s3_key: key } = known;
  const forget = (): Promise<void> => deps.orphans.removeOrphans([uploadId]);
  const gone: Answer = {
    kind: "done",
    detail: "it is gone already, or a stream owns it now",
    afterwards: forget,
  };
  const holder = await keyHolder(deps.context, bucket, key);
  const owned = lately.uploadIds.has(uploadId) || holder?.["s3_upload_id"] === uploadId;
  if (owned || deps.held().has(uploadId)) return gone;
  const startedByKey = { get: (one: string) => holder?.["started_at_utc"] ?? lately.startedByKey.get(one) };
  try {
    const listing = await deps.store.listParts({ bucket, key, uploadId });
    if (listing.kind !== "alive") return gone;
    const upload = { key, uploadId, initiated: known.initiated_at_utc };
    const now = await judge(scan, upload, { ...lately, startedByKey });
    if (now.verdict !== "ours") return { kind: "refused", detail: `it is ${now.verdict}: ${now.because}` };
    // The store may have taken its time.
    if ((await task.ageMs()) > DESTRUCTIVE_MOST_MS) return { kind: "refused", detail: TOO_OLD };
    await deps.store.abort({ bucket, key, uploadId });
  } catch (error) {
    // The store is in trouble: it is done when that is over, or it is too old by then.
    if (error instanceof StoreError && PASSES.has(error.trouble)) return { kind: "pending" };
    throw error;
  }
  return { kind: "done", afterwards: forget };
}

const PASSES: ReadonlySet<StoreTrouble> = new Set([
  "unreachable",
  "failing",
  "throttled",
  "credentials",
  "bucket",
]);

const OWNED_LATELY_MS = 5_000;

/** Every record is read for it, so a row of uploads shares one reading; who holds the key is asked afresh for each. */
function ownedLately(scan: ScanDeps, clock: Pick<Clock, "monotonicMs">): () => Promise<OwnedUploads> {
  let latest: Promise<OwnedUploads> | undefined;
  let untilMs = 0;
  return () => {
    if (latest !== undefined && clock.monotonicMs() < untilMs) return latest;
    untilMs = Number.POSITIVE_INFINITY;
    latest = ownedUploads(scan).finally(() => (untilMs = clock.monotonicMs() + OWNED_LATELY_MS));
    // Who asked is told; who comes later asks again.
    latest.catch(() => (untilMs = 0));
    return latest;
  };
}

/** The file of a watch that would have this key, when it is there. */
async function fileOfKey(deps: UploadActionDeps, key: string): Promise<string | undefined> {
  for (const watch of deps.watches) {
    if (!key.startsWith(watch.keyPrefix)) continue;
    const path = `${watch.root}/${key.slice(watch.keyPrefix.length)}`;
    if ((await deps.files.look(path)).kind === "file") return displayPath(path);
    const temporary = await deps.files.temporaryOf(path, watch.rules.temporaryNames);
    if (temporary !== undefined) return displayPath(temporary);
  }
  return undefined;
}
