/** `plan:<token>`: a clean-up as it was shown before it was confirmed. What runs is exactly what was planned. */
import { z } from "zod";
import { parseWith, type Parsed } from "./codec.ts";
import { count, jsonField, named, time } from "./scalars.ts";
import type { RawHash } from "./text.ts";

const planSchema = z.object({
  token: named,
  /** What the plan would do: `purge`, `abort_uploads` … */
  action: named,
  /** Exact ids (streams or uploads). */
  ids: jsonField(z.array(z.string())),
  /** What was counted, by name (streams, uploads, kept …). */
  counts: jsonField(z.record(z.string(), z.number())),
  bytes: count,
  /** The choices made with it (what becomes of uploads, the filter it came from). */
  options: z.exactOptional(jsonField(z.record(z.string(), z.json()))),
  who: z.string(),
  made_at_utc: time,
  expires_at_utc: time,
});

export type PlanRecord = z.infer<typeof planSchema>;

export function parsePlanRecord(hash: RawHash): Parsed<PlanRecord> | { kind: "absent" } {
  if (Object.keys(hash).length === 0) return { kind: "absent" };
  return parseWith(planSchema, hash);
}

export function planFields(plan: PlanRecord): Record<string, string | undefined> {
  const { ids, counts, options, bytes, ...plain } = plan;
  return {
    ...plain,
    bytes: String(bytes),
    ids: JSON.stringify(ids),
    counts: JSON.stringify(counts),
    options: options === undefined ? undefined : JSON.stringify(options),
  };
}
