/** What the activity page shows, kept in its address: actions or sign-ins, whose, which, and when. */
import { parseAsString, parseAsStringLiteral, type inferParserType } from "nuqs/server";
import { TIMES, timesOf } from "../ui/time-range.ts";

export const KINDS = ["actions", "sign_ins"] as const;

export const activityParsers = {
  kind: parseAsStringLiteral(KINDS).withDefault("actions"),
  who: parseAsString.withDefault(""),
  action: parseAsString.withDefault(""),
  when: parseAsStringLiteral(TIMES),
};
export type ActivityParams = inferParserType<typeof activityParsers>;

/** The question to the server. */
export function activityInput({ kind, who, action, when }: ActivityParams, now: number, utc: boolean) {
  return {
    kind,
    ...(who === "" ? {} : { who }),
    ...(action === "" ? {} : { action }),
    ...timesOf(when, now, utc),
  };
}
