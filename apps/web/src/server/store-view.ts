/** What a worker found out about its store, in the words of its log: never more than the probe saw. */
import type { SchemaContext } from "@sluice/redis-schema/context";
import { loadStoreAnswers } from "@sluice/redis-schema/store-answers";
import { z } from "zod";

export interface StoreView {
  /** From its endpoint or SLUICE_S3_PROFILE; "unknown" if neither gives it. */
  name: string;
  checksum: string;
  /** ISO. */
  probed_at: string;
  /** What it lacks or does differently, in words. */
  notes: string[];
}

/** Only what is shown; the worker's other answers are ignored. */
const shown = z.object({
  profile: z.object({ store: z.string(), checksum: z.string() }),
  notes: z.array(z.string()),
});

/** Undefined if a worker has not probed yet, or stores answers of another shape. */
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
