/** The overview's judgement in one sentence, for lists on the terminal. */
import { rateNow, RATE_MINUTES } from "@sluice/control/rates";
import { RiskTally, verdictOf } from "@sluice/control/verdict";
import type { Index } from "@sluice/core";
import { StatsStore, WatchStore } from "@sluice/redis-schema";
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
  const [listings, { minutes }] = await Promise.all([
    registry.list(),
    new StatsStore(context).lastMinutes(RATE_MINUTES),
  ]);
  const tally = new RiskTally({ listings, nowMs, stallAfterMs: config.stallAfterMs });
  for await (const row of selectRows(reader, AT_RISK, {}, nowMs)) tally.add(row);
  const watches = (await new WatchStore(context).loadMany(tally.watches)).filter(
    (watch) => watch !== undefined,
  );
  const { title, because } = verdictOf(tally.risk(watches, rateNow(minutes, nowMs)), { nowMs });
  return { title, because };
}
