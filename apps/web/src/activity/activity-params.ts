/** What the activity page shows, kept in its address: actions or sign-ins, whose, which, and when. */
import { parseAsString, parseAsStringLiteral, type inferParserType } from "nuqs/server";

export const KINDS = ["actions", "sign_ins"] as const;
export const TIMES = ["hour", "today", "yesterday", "week"] as const;
export type TimeRange = (typeof TIMES)[number];

export const activityParsers = {
  kind: parseAsStringLiteral(KINDS).withDefault("actions"),
  who: parseAsString.withDefault(""),
  action: parseAsString.withDefault(""),
  when: parseAsStringLiteral(TIMES),
};
export type ActivityParams = inferParserType<typeof activityParsers>;

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** From `from` to before `until`, ms since 1970; days begin at midnight of the zone that times are shown in. */
export function timesOf(
  when: TimeRange | null,
  now: number,
  utc: boolean,
): { from?: number; until?: number } {
  switch (when) {
    case null:
      return {};
    case "hour":
      // Whole minutes, so that the question stays the same for a while.
      return { from: Math.floor(now / MINUTE_MS) * MINUTE_MS - HOUR_MS };
    case "today":
      return { from: midnight(now, utc) };
    case "yesterday":
      return { from: midnight(midnight(now, utc) - 1, utc), until: midnight(now, utc) };
    case "week":
      return { from: midnight(midnight(now, utc) - 6 * DAY_MS, utc) };
  }
}

function midnight(at: number, utc: boolean): number {
  return utc ? Math.floor(at / DAY_MS) * DAY_MS : new Date(at).setHours(0, 0, 0, 0);
}

/** The question to the server. */
export function activityInput({ kind, who, action, when }: ActivityParams, now: number, utc: boolean) {
  return {
    kind,
    ...(who === "" ? {} : { who }),
    ...(action === "" ? {} : { action }),
    ...timesOf(when, now, utc),
  };
}
