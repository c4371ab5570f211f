/** Open uploads that no stream owns, and those a purge left for a worker, with what is known about each. */
import { orphanBegan } from "@sluice/control/choose";
import type { Orphan, UploadToAbort } from "@sluice/redis-schema/records/upload-entries";
import type { Hub } from "./hub.ts";

export interface OrphansView {
  orphans: Orphan[];
  /** Left by a purge: a worker aborts them. */
  to_abort: UploadToAbort[];
  /** When a scan last wrote something, ms since 1970. */
  scanned_at?: number;
}

/** Uploads that can be cleaned up come first, the oldest on top. */
const ORDER: readonly Orphan["verdict"][] = ["only_copy", "ours", "unknown", "foreign"];

export async function orphansView(hub: Hub): Promise<OrphansView> {
  const [orphans, toAbort] = await Promise.all([hub.orphans.orphans(), hub.orphans.toAbort()]);
  const scans = orphans.map((orphan) => Date.parse(orphan.last_seen_at_utc));
  return {
    orphans: orphans.sort(
      (a, b) => ORDER.indexOf(a.verdict) - ORDER.indexOf(b.verdict) || orphanBegan(a) - orphanBegan(b),
    ),
    to_abort: toAbort,
    ...(scans.length === 0 ? {} : { scanned_at: Math.max(...scans) }),
  };
}
