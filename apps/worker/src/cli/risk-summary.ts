/** The overview's judgement in a sentence or two, for lists on the terminal. */
import { rateNow, RATE_MINUTES } from "@sluice/control/rates";
import {
  endingTitle,
  endingUploads,
  endingWords,
  retentionOf,
  salvageCommand,
} from "@sluice/control/ending-uploads";
import { fillingSentence } from "@sluice/control/disk-space";
import { RiskTally, verdictOf } from "@sluice/control/verdict";
import type { Index } from "@sluice/core";
import { OrphanStore, StatsStore, WatchStore, type ListedStream } from "@sluice/redis-schema";
import type { Session } from "./session.ts";
import { selectRows } from "./stream-rows.ts";

/** Whatever is live or failed. */
const AT_RISK: readonly Index[] = ["active", "pending_completion", "failed"];

/** Of everything that is at risk, whatever a list was asked to show. */
export async function riskSummary({
  config,
  context,
  reader,
  registry,
  out: { nowMs },
}: Session): Promise<{ title: string; because: string }> {
  const [listings, orphans, { minutes }] = await Promise.all([
    registry.list(),
    new OrphanStore(context).orphans(),
    new StatsStore(context).lastMinutes(RATE_MINUTES),
  ]);
  const tally = new RiskTally({ listings, nowMs, stallAfterMs: config.stallAfterMs });
  const failed: ListedStream[] = [];
  for await (const row of selectRows(reader, AT_RISK, {}, nowMs)) {
    tally.add(row);
    if (row.kind === "failed") failed.push(row);
  }
  const watches = (await new WatchStore(context).loadMany(tally.watches)).filter(
    (watch) => watch !== undefined,
  );
  const { title, because } = verdictOf(tally.risk(watches, rateNow(minutes, nowMs)), { nowMs });
  const ending = endingUploads({ rows: failed, orphans }, retentionOf(listings), nowMs);
  const [first] = ending;
  const sentences = [
    because,
    fillingSentence(listings),
    first && `${endingTitle(ending)}: ${endingWords(first, nowMs)} (${salvageCommand(first)}).`,
  ];
  return { title, because: sentences.filter((sentence) => sentence !== undefined).join(" ") };
}
