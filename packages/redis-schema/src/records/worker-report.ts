/** `workers:report:<id>`: what a worker reports of itself beside its lease. Each field is read, or not, by itself. */
import { z } from "zod";
import { jsonField } from "./scalars.ts";
import type { RawHash } from "./text.ts";

/** Enough for every setting, and the rules of hundreds of watches. */
const MOST_SETTINGS = 2_000;
/** Different errors and warnings that a worker keeps; the oldest makes room. */
export const MOST_TROUBLES = 30;

const at = z.int().nonnegative();

const settingSchema = z.object({
  name: z.string(),
  group: z.string(),
  /** Absent: not set. Of a secret only "set". */
  value: z.exactOptional(z.string()),
  origin: z.string(),
});
export type ReportedSetting = z.infer<typeof settingSchema>;

const troubleSchema = z.object({
  /** Stays the same from version to version. */
  code: z.string(),
  /** What it was about last: the reason, in words. */
  detail: z.string(),
  count: z.int().positive(),
  /** ms since 1970. */
  first_at: at,
  last_at: at,
});
export type Trouble = z.infer<typeof troubleSchema>;

const partSecondsSchema = z.object({
  /** Since the start of the worker, ms since 1970. */
  since: at,
  /** How many parts took at most so many seconds, and longer than the bucket before; `null`: any longer time. */
  buckets: z.array(z.object({ le: z.number().nullable(), parts: z.int().nonnegative() })).max(64),
  /** Of all parts together. */
  seconds: z.number().nonnegative(),
});
export type PartSeconds = z.infer<typeof partSecondsSchema>;

export interface WorkerReport {
  settings: readonly ReportedSetting[];
  troubles: readonly Trouble[];
  /** Absent: no part was sent yet. */
  part_seconds?: PartSeconds;
}

const FIELDS = {
  settings: jsonField(z.array(settingSchema).max(MOST_SETTINGS)),
  troubles: jsonField(z.array(troubleSchema).max(MOST_TROUBLES)),
  part_seconds: jsonField(partSecondsSchema),
};

/** A field that cannot be read counts as missing: the others are still shown. */
export function parseWorkerReport(hash: RawHash): Partial<WorkerReport> {
  const settings = FIELDS.settings.safeParse(hash["settings"]);
  const troubles = FIELDS.troubles.safeParse(hash["troubles"]);
  const parts = FIELDS.part_seconds.safeParse(hash["part_seconds"]);
  return {
    ...(settings.success ? { settings: settings.data } : {}),
    ...(troubles.success ? { troubles: troubles.data } : {}),
    ...(parts.success ? { part_seconds: parts.data } : {}),
  };
}

/** The fields of a report as Redis holds them; undefined where there is nothing to say. What is beyond a bound is left out. */
export function workerReportFields(report: WorkerReport): Record<keyof WorkerReport, string | undefined> {
  return {
    settings: JSON.stringify(report.settings.slice(0, MOST_SETTINGS)),
    troubles: JSON.stringify(report.troubles.slice(0, MOST_TROUBLES)),
    part_seconds: report.part_seconds && JSON.stringify(report.part_seconds),
  };
}
