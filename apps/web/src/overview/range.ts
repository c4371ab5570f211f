/** The range of the chart, which is part of the address of the overview. */
import { createLoader, parseAsStringLiteral } from "nuqs/server";

export const RANGES = ["1h", "6h", "24h"] as const;
export type Range = (typeof RANGES)[number];

export const RANGE_MINUTES: Readonly<Record<Range, number>> = { "1h": 60, "6h": 360, "24h": 1_440 };

export const rangeParsers = { range: parseAsStringLiteral(RANGES).withDefault("1h") };
export const loadRange = createLoader(rangeParsers);
