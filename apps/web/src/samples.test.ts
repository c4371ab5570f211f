/** Samples show what a worker writes, and invent nothing beside it. */
import { parseWaiting } from "@sluice/core/stream/waiting";
import { expect, test } from "vitest";
import { large, sample } from "../scripts/seed-samples.ts";

test("a sample waits for its writer, for parts that are being sent, or for nothing", () => {
  for (const { record } of [...Array(500).keys()].map((n) => sample(n)).concat(large(100)))
    expect([undefined, "writer", "parts"]).toContain(parseWaiting(record.waiting_for)?.for);
});
