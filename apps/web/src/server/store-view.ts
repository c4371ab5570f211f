/** What a worker found out about its store, in the words it was told in the log: never more than the probe saw. */
import type { SchemaContext } from "@sluice/redis-schema/context";
import { loadStoreAnswers } from "@sluice/redis-schema/store-answers";
import { z } from "zod";

export interface StoreView {
  /** By its endpoint or SLUICE_S3_PROFILE; "unknown" where neither says. */
  name: string;
  checksum: string;
  /** ISO. */
  probed_at: string;
  /** What it lacks or does of its own, in plain words. */
  notes: string[];
}

/** Only what is shown; the rest is the worker's own business. */
const shown = z.object({
  profile: z.object({ store: z.string(), checksum: z.string() }),
  notes: z.array(z.string()),
});

/** Undefined where a worker has not asked yet, or keeps answers of another shape. */
export async function storeView(
  context: SchemaContext,
  hash: string | undefined,
): Promise<StoreView | undefined> {
  const kept = hash === undefined ? undefined : await loadStoreAnswers(context, hash);
  const answers = shown.safeParse(kept?.answers);
  if (kept === undefined || !answers.success) return undefined;
  const { profile, notes } = answers.data;
  return { name: profile.store, checksum: profile.checksum, probed_at: kept.probed_at_utc, notes };
}
