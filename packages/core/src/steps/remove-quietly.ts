/** Removes a stream of which S3 never had a byte: leaves only a log line and a counter. */
import { takenKeys } from "../object/object-key.ts";
import { sendingDone, type StreamContext, type Step } from "./stream-context.ts";
import { reach } from "../object/context.ts";
import { abortUpload } from "../object/own-upload.ts";
import type { Removed } from "../ports/observer.ts";

export async function removeQuietly(stream: StreamContext, why: Removed, detail: string): Promise<Step> {
  const { context } = stream;
  const { held, deps } = context;
  await sendingDone(stream);
  await abortUpload(context);
  await reach(context, "removing");
  await held.update({
    patch: { waiting_for: null },
    releasePath: true,
    releaseKeys: takenKeys(held.record),
    remove: true,
    event: { type: "removed", detail },
  });
  deps.observer.removed(held.record, why, detail);
  return { kind: "ended", outcome: { kind: "removed" } };
}
