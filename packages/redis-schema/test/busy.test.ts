/** A script of somebody else's that does not end: our commands are refused or late, and made once it is over. */
import type { StreamWrite } from "@sluice/core";
import { StreamStore } from "@sluice/redis-schema";
import { afterAll, beforeAll, expect, test } from "vitest";
import { lease, record, startHarness, stored, W1, type Harness } from "./harness.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness({ args: ["--lua-time-limit", "50"] });
});
afterAll(() => harness.stop());

test("R15: a Redis held up by a script says so in plain words, and takes the write once it is free", async () => {
  const schema = harness.fresh();
  const processing = record({ status: "processing", s3_upload_id: "up1" });
  await schema.seed({ ...lease(W1), ...stored(processing) });
  const store = new StreamStore(schema, W1);
  const write: StreamWrite = { from: ["processing"], patch: { file_size: 77 } };
  // A connection that is made while it lasts is refused.
  const killer = harness.raw.duplicate();
  await killer.ping();
  const endless = harness.raw.eval("while true do end", 0).catch((error: unknown) => error);
  await expect
    .poll(() => store.write(processing, write).catch((error: Error) => error.message), { timeout: 10_000 })
    .toContain("Redis is busy with another script");
  await killer.script("KILL");
  expect(String(await endless)).toContain("killed");
  expect(await store.write(processing, write)).toEqual({ kind: "written" });
  killer.disconnect();
});
