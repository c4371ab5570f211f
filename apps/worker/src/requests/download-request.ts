/**
 * `download`: an address with which the browser of an operator reads one finished object for some minutes. Only for the
 * object that the record describes and that Sluice wrote: a forged request or record gives access to no other one.
 */
import { displayPath, kindOf, type Head, type StreamRecord } from "@sluice/core";
import { STREAM_ID_HEADER } from "@sluice/core/object/object-headers";
import type { PublicAddresses } from "@sluice/s3-store";
import { asJson, recordToAsk, type AnswerDeps } from "./request-answers.ts";
import type { Answer, Task } from "./request-desk.ts";

export interface DownloadDeps extends Pick<
  AnswerDeps,
  "reader" | "store" | "source" | "bucket" | "buckets" | "isSourceAlive"
> {
  /** Undefined: SLUICE_S3_DOWNLOADS is off. */
  downloads: Pick<PublicAddresses, "download"> | undefined;
}

/** How long the address is good for. */
export const DOWNLOAD_MS = 5 * 60_000;
/** The operator no longer waits for an answer after this time. */
const WAITED_FOR_MS = 2 * 60_000;

export async function downloadRequest(task: Task, deps: DownloadDeps): Promise<Answer> {
  const found = await recordToAsk(task.item, deps);
  if (found.kind !== "record") return found;
  const { record } = found;
  const { s3_bucket: bucket, s3_key: key } = record;
  if (deps.downloads === undefined) return refused("downloads are turned off (SLUICE_S3_DOWNLOADS)");
  if ((await task.ageMs()) > WAITED_FOR_MS) return refused("nobody waits for it any longer: ask again");
  if (key === undefined) return refused(NOT_FINISHED);
  const why = whyNoDownload(record, await deps.store.head({ bucket, key }));
  if (why !== undefined) return refused(why);
  const path = displayPath(record.original_path);
  const name = path.slice(path.lastIndexOf("/") + 1);
  const made = await deps.downloads.download({ bucket, key }, name, DOWNLOAD_MS);
  if (made === undefined) return refused("no browser can ask for a key that has . or .. between its slashes");
  const { url, expiresAtMs } = made;
  return { kind: "done", data: asJson({ url, expires_at_utc: new Date(expiresAtMs).toISOString() }) };
}

const NOT_FINISHED = "its object does not exist yet";

export function whyNoDownload(
  { status, etag }: Pick<StreamRecord, "status" | "etag">,
  head: Head,
): string | undefined {
  const kind = kindOf(status);
  if (kind !== "completed" && kind !== "s3_completed") return NOT_FINISHED;
  if (head.kind === "missing") return "its object no longer exists in S3";
  if (head.kind === "unknown") return "the store does not say whether its object exists";
  const { object } = head;
  if (object.metadata[STREAM_ID_HEADER] === undefined || etag === undefined || object.etag !== etag)
    return "the object at its key is another one than this stream's";
  return undefined;
}

function refused(detail: string): Answer {
  return { kind: "refused", detail };
}
