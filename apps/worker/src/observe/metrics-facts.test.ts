import type { StoreGate } from "@sluice/core";
import type { OrphanStore } from "@sluice/redis-schema";
import { expect, test } from "vitest";
import type { Worker } from "../start/app.ts";
import { systemClock } from "@sluice/control/system-clock";
import { metricsFacts } from "./metrics-facts.ts";

test("a scrape does not wait for a Redis that hangs: what it would say of orphans is left out", async () => {
  const hangs = { orphans: () => new Promise(() => undefined) } as unknown as OrphanStore;
  const facts = metricsFacts({} as Worker, {} as StoreGate, hangs, () => 0, systemClock);
  expect(await facts.orphans()).toBeUndefined();
});
