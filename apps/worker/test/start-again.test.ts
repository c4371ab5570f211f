/** What an earlier start learnt of the store says nothing of today's credentials: each first start asks again. */
import { expect, it } from "vitest";
import { startRig } from "./rig.ts";

it(
  "wrong credentials are refused also where an earlier start has probed the store",
  { timeout: 120_000 },
  async () => {
    await using rig = await startRig();
    const first = await rig.start();
    await first.terminate();
    const rejected = rig.launch({ AWS_SECRET_ACCESS_KEY: "wrong" });
    expect((await rejected.exited).code).toBe(78);
    const said = rejected.other.join("\n");
    expect(said).toContain("SignatureDoesNotMatch");
    expect(said).toContain("AWS_SECRET_ACCESS_KEY");
    await (await rig.start()).terminate();
  },
);
