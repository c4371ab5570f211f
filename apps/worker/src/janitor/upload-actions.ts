/** What can be asked of the uploads in the bucket: a scan for orphans, and the clean-up of those a plan named. */
import { displayPath, type FileSource } from "@sluice/core";
import type { RequestDeps } from "../streams/request-handler.ts";
import { asJson } from "../streams/request-handler.ts";
import type { Watch } from "../streams/watch.ts";
import type { JanitorDeps } from "./janitor.ts";
import { scanOrphans, type ScanDeps } from "./scan-orphans.ts";

export interface UploadActionDeps extends JanitorDeps {
  prefix: string;
  watches: readonly Watch[];
  held: ScanDeps["held"];
  files: FileSource;
}

export function uploadActions(deps: UploadActionDeps): RequestDeps["others"] {
  const scan: ScanDeps = {
    context: deps.context,
    store: deps.store,
    orphans: deps.orphans,
    bucket: deps.bucket,
    prefix: deps.prefix,
    redisEmptied: deps.locked,
    held: deps.held,
    localFile: (key) => fileOfKey(deps, key),
  };
  return {
    async scan_orphans(item) {
      if (item !== "*" && item !== deps.bucket) return { kind: "elsewhere" };
      return { kind: "done", data: asJson(await scanOrphans(scan)) };
    },
    async abort_uploads(uploadId) {
      if (deps.locked())
        return {
          kind: "refused",
          detail: "Redis is being rebuilt from S3: nothing is cleaned up until that is over",
        };
      const known = (await deps.orphans.orphans()).find((orphan) => orphan.s3_upload_id === uploadId);
      if (!known) return { kind: "refused", detail: "no scan knows this upload" };
      if (known.s3_bucket !== deps.bucket) return { kind: "elsewhere" };
      // Looked at once more right before the abort: a stream may have taken it up meanwhile.
      await scanOrphans(scan);
      const now = (await deps.orphans.orphans()).find((orphan) => orphan.s3_upload_id === uploadId);
      if (!now) return { kind: "done", detail: "it is gone already, or a stream owns it now" };
      if (now.verdict !== "ours") return { kind: "refused", detail: `it is ${now.verdict}: ${now.because}` };
      await deps.store.abort({ bucket: now.s3_bucket, key: now.s3_key, uploadId });
      await deps.orphans.removeOrphans([uploadId]);
      return { kind: "done" };
    },
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
