/**
 * `watch:<source>:<name>`: which directory a watch's root was, so that a missing volume is not taken for missing files.
 */
import { z } from "zod";
import { parseWith, type Parsed } from "./codec.ts";
import { digits, named, time } from "./scalars.ts";
import type { RawHash } from "./text.ts";

export const WATCH_STATES = ["ok", "offline"] as const;
export type WatchState = (typeof WATCH_STATES)[number];

const watchSchema = z.object({
  source: named,
  name: z.string(),
  root: named,
  root_inode: z.exactOptional(digits),
  root_birthtime_ns: z.exactOptional(digits),
  state: z.enum(WATCH_STATES),
  state_detail: z.exactOptional(z.string()),
  /** Since when it has been in this state. */
  since_utc: time,
});

export type WatchRecord = z.infer<typeof watchSchema>;

/** What a worker says of a watch; `absent` if none does. */
export function parseWatch(hash: RawHash): Parsed<WatchRecord> | { kind: "absent" } {
  if (Object.keys(hash).length === 0) return { kind: "absent" };
  return parseWith(watchSchema, hash);
}
