/** `plan:<token>`: a clean-up as it was shown before its confirmation. Exactly what was planned is carried out. */
import { z } from "zod";
import { parseJson, parseWith, type Parsed } from "./codec.ts";
import { itemField, ITEM_RESULTS } from "./request.ts";
import { count, jsonField, named, time } from "./scalars.ts";
import type { RawHash } from "./text.ts";

/** Choices made with a plan, stored so that another program can carry it out. */
const optionsSchema = z.object({
  /** What a purge does with open uploads. */
  upload: z.exactOptional(z.enum(["abort", "keep"])),
  /** Streams of a purge whose uploads are kept whatever it does with the others: they are the only copies. */
  keep_uploads: z.exactOptional(z.array(z.string())),
  /** The state of each stream when it was planned, by id. */
  seen: z.exactOptional(z.record(z.string(), z.string())),
  /** History that completed before this is pruned, ms since 1970. */
  cutoff: z.exactOptional(z.number()),
  /** The first items as they were planned, by id: they may be gone when the results are read. */
  named: z.exactOptional(
    z.record(
      z.string(),
      z.object({
        name: z.string(),
        key: z.exactOptional(z.string()),
        bytes: z.number(),
        parts: z.exactOptional(z.number()),
      }),
    ),
  ),
  /** What must be typed to confirm; null: nothing. */
  typed: z.exactOptional(z.string().nullable()),
  /** The options of the request to the workers. */
  request: z.exactOptional(z.record(z.string(), z.json())),
});
export type PlanOptions = z.infer<typeof optionsSchema>;

const planSchema = z.object({
  token: named,
  /** The action: `purge`, `abort_uploads` … */
  action: named,
  /** Exact ids (streams or uploads). */
  ids: jsonField(z.array(z.string())),
  /** Counts by name (streams, uploads, kept …). */
  counts: jsonField(z.record(z.string(), z.number())),
  bytes: count,
  options: z.exactOptional(jsonField(optionsSchema)),
  who: z.string(),
  made_at_utc: time,
  expires_at_utc: time,
  /** Set when it was carried out: the token of the execution. */
  consumed_by: z.exactOptional(z.string()),
});

export type PlanRecord = z.infer<typeof planSchema>;

/** A plan; `absent` if it has expired or never was. */
export function parsePlanRecord(hash: RawHash): Parsed<PlanRecord> | { kind: "absent" } {
  if (Object.keys(hash).length === 0) return { kind: "absent" };
  return parseWith(planSchema, hash);
}

const planResultSchema = z.object({
  result: z.enum(ITEM_RESULTS),
  /** A text for users. */
  detail: z.exactOptional(z.string()),
});
/** The result of one planned id. */
export type PlanResult = z.infer<typeof planResultSchema>;

const ITEM = itemField("");

/** By id. A result that cannot be parsed is skipped: carrying the plan out again finds it out. */
export function parsePlanResults(hash: RawHash): Map<string, PlanResult> {
  const results = new Map<string, PlanResult>();
  for (const [field, text] of Object.entries(hash)) {
    if (!field.startsWith(ITEM)) continue;
    const parsed = parseJson(planResultSchema, text);
    if (parsed.kind === "ok") results.set(field.slice(ITEM.length), parsed.value);
  }
  return results;
}

/** A plan as Redis holds it; what is undefined is not written. */
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
