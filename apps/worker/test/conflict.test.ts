import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { audit, auditRig } from "./audit.ts";
import { PART, startRig, writeWhole, type Rig } from "./rig.ts";
import { ask } from "./rig/ask.ts";

const FOREIGN = "an object of another program";
const SIZES = [
  ["small.mov", 100],
  ["large.mov", PART + 100],
] as const;

async function foreignAt(rig: Rig, ...keys: string[]): Promise<void> {
  for (const key of keys) await rig.bucket.put(key, FOREIGN);
}

describe("an object of another program at the key", { concurrent: true, timeout: 180_000 }, () => {
  it.each([
    ["", {}],
    [" on a store that ignores conditions", { ignoreConditionalPut: true, ignoreConditionalComplete: true }],
  ])("is kept, and the file goes beside it (keep-both)%s", async (_, quirks) => {
    await using rig = await startRig({ quirks });
    await foreignAt(rig, "small.mov", "large.mov", "large-2.mov");
    await rig.start();
    const files = SIZES.map(([name, size]) => writeWhole(rig, name, randomBytes(size)));
    const keys = ["small-2.mov", "large-3.mov"];
    for (const [at, path] of files.entries()) {
      expect((await rig.completed(path))["s3_key"]).toBe(keys[at]);
    }
    await audit(
      rig,
      files.map((path, at) => ({ path, key: keys[at] ?? "" })),
    );
    for (const key of ["small.mov", "large.mov", "large-2.mov"])
      expect(await rig.bucket.text(key)).toBe(FOREIGN);
    await auditRig(rig);
  });

  it("fails the stream where that is asked for, and a retry goes through once it is away", async () => {
    await using rig = await startRig({ env: { SLUICE_ON_CONFLICT: "fail" } });
    await foreignAt(rig, "small.mov", "large.mov");
    await rig.start();
    for (const [name, size] of SIZES) {
      const path = writeWhole(rig, name, randomBytes(size));
      const failed = await rig.until(`${name} fails`, async () =>
        (await rig.records.generations(path)).find(({ status }) => status === "failed_object_conflict"),
      );
      expect(await rig.bucket.text(name)).toBe(FOREIGN);
      await rig.bucket.remove(name);
      expect(await ask(rig, "retry", failed.id)).toMatchObject({ result: "done" });
      expect((await rig.completed(path)).id).toBe(failed.id);
      await audit(rig, [{ path, key: name }]);
    }
    await auditRig(rig);
  });

  it("is replaced where that is asked for", async () => {
    await using rig = await startRig({ env: { SLUICE_ON_CONFLICT: "overwrite" } });
    await foreignAt(rig, "small.mov", "large.mov");
    await rig.start();
    const files = SIZES.map(([name, size]) => ({
      path: writeWhole(rig, name, randomBytes(size)),
      key: name,
    }));
    for (const { path, key } of files) expect((await rig.completed(path))["s3_key"]).toBe(key);
    await audit(rig, files);
    await auditRig(rig);
  });

  it.each([
    ["", {}],
    [" on a store that ignores conditions", { ignoreConditionalComplete: true }],
  ])(
    "that comes while parts go up fails the stream at Complete, and a retry takes the next name%s",
    async (_, quirks) => {
      await using rig = await startRig({ quirks, env: { SLUICE_IDLE_TIMEOUT: "1h", SLUICE_IDLE_MAX: "1h" } });
      await rig.start();
      const path = writeWhole(rig, "large.mov", randomBytes(PART + 100));
      const stream = await rig.live(path, ({ next_part: next }) => next === "2");
      await foreignAt(rig, "large.mov");
      writeFileSync(`${path}.done`, "");
      await rig.until(
        "it fails",
        async () => (await rig.records.stream(stream.id))?.status === "failed_object_conflict",
      );
      expect(await rig.bucket.text("large.mov")).toBe(FOREIGN);
      const answer = await ask(rig, "retry", stream.id);
      expect(answer).toMatchObject({ result: "done", detail: expect.stringMatching(/again/) });
      expect(await rig.completed(path)).toMatchObject({ id: stream.id, s3_key: "large-2.mov" });
      await audit(rig, [{ path, key: "large-2.mov" }]);
      expect(await rig.bucket.text("large.mov")).toBe(FOREIGN);
      await auditRig(rig);
    },
  );
});
