import { randomBytes } from "node:crypto";
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { audit, auditRig } from "./audit.ts";
import { PART, startRig, writeWhole, type Rig } from "./rig.ts";
import { ask } from "./rig/ask.ts";
import { counted } from "./rig/health.ts";

const FOREIGN = "an object of another program";
const OWN = '{"by":"the user"}';

/** A file written beside the watch and renamed into it, over whatever has the name. */
function replace(rig: Rig, name: string, bytes: Buffer | string): string {
  const beside = join(rig.directory, `new-${name}`);
  writeFileSync(beside, bytes);
  const path = join(rig.root, name);
  renameSync(beside, path);
  return path;
}

describe("a name that another's object has, which the metadata would get", { timeout: 180_000 }, () => {
  it.each(["keep-both", "overwrite"])(
    "D3c: both keep their bytes, whichever was first, with SLUICE_ON_CONFLICT=%s",
    async (policy) => {
      await using rig = await startRig({ env: { SLUICE_ON_CONFLICT: policy } });
      await rig.bucket.put("large.mp4.metadata.json", FOREIGN);
      await rig.start();
      const own = writeWhole(rig, "small.mp4.metadata.json", OWN);
      const first = writeWhole(rig, "first.mp4", randomBytes(100));
      const large = writeWhole(rig, "large.mp4", randomBytes(PART + 10));
      for (const path of [own, first, large]) await rig.completed(path);
      const small = writeWhole(rig, "small.mp4", randomBytes(100));
      const later = writeWhole(rig, "first.mp4.metadata.json", OWN);
      await rig.completed(small);
      await rig.completed(later);
      await audit(rig, [
        { path: own, key: "small.mp4.metadata.json" },
        // A single Put does not ask for the metadata's name: its metadata goes beside.
        { path: small, key: "small.mp4", metadataKey: "small.mp4.metadata-2.json" },
        { path: first, key: "first.mp4" },
        { path: later, key: "first.mp4.metadata-2.json" },
        // A file of several parts goes under a name of which both are free.
        { path: large, key: "large-2.mp4" },
      ]);
      expect(await rig.bucket.text("large.mp4.metadata.json")).toBe(FOREIGN);
      expect(await rig.bucket.keys("large.mp4")).toEqual(["large.mp4.metadata.json"]);
      expect(await ask(rig, "verify", "small.mp4")).toMatchObject({ result: "done" });
      await auditRig(rig);
    },
  );

  it("D3c: costs no byte and fails nothing when it comes while parts go up, with SLUICE_ON_CONFLICT=fail", async () => {
    await using rig = await startRig({
      env: { SLUICE_IDLE_TIMEOUT: "1h", SLUICE_IDLE_MAX: "1h", SLUICE_ON_CONFLICT: "fail" },
    });
    await rig.start();
    const path = writeWhole(rig, "late.mp4", randomBytes(PART + 10));
    await rig.live(path, ({ next_part: next }) => next === "2");
    await rig.bucket.put("late.mp4.metadata.json", FOREIGN);
    writeFileSync(`${path}.done`, "");
    const { id } = await rig.completed(path);
    await audit(rig, [{ path, key: "late.mp4", metadataKey: "late.mp4.metadata-2.json" }]);
    expect(await rig.bucket.text("late.mp4.metadata.json")).toBe(FOREIGN);
    expect((await rig.records.timeline(id)).join("\n")).toContain("late.mp4.metadata-2.json");
    await auditRig(rig);
  });
});

describe("a path whose file is replaced again and again", { timeout: 180_000 }, () => {
  it("D1a: keeps one object with SLUICE_ON_REPLACE=replace, also of an emptied Redis, and takes no foreign one", async () => {
    await using rig = await startRig({ env: { SLUICE_ON_REPLACE: "replace" } });
    await rig.bucket.put("foreign.m3u8", FOREIGN);
    const worker = await rig.start();
    const keys = { "live.m3u8": "live.m3u8", "foreign.m3u8": "foreign-2.m3u8" };
    let before = new Map<string, string>();
    // Shorter and longer, in one request and in parts: the newest file counts.
    for (const size of [900, 300, PART + 10, 50]) {
      const files = Object.entries(keys).map(([name, key]) => ({
        path: replace(rig, name, randomBytes(size)),
        key,
      }));
      const now = new Map<string, string>();
      for (const { path } of files) now.set(path, (await rig.completed(path, { not: before.get(path) })).id);
      await audit(rig, files);
      before = now;
    }
    // A rotated log keeps its object: it is another file's by now, and that file is still there.
    const log = replace(rig, "app.log", "of yesterday");
    const { id } = await rig.completed(log);
    renameSync(log, join(rig.root, "app.log.1"));
    await rig.until("its entry follows", async () => rig.records.done(join(rig.root, "app.log.1")));
    await rig.completed(replace(rig, "app.log", "of today, another file"), { not: id });
    expect(await rig.bucket.text("app.log")).toBe("of yesterday");
    expect(await rig.bucket.text("app-2.log")).toBe("of today, another file");
    await worker.kill();
    await rig.records.redis.flushall();
    const path = replace(rig, "live.m3u8", "another file, while nobody looked");
    await rig.start();
    await rig.completed(path);
    await audit(rig, [{ path, key: "live.m3u8" }]);
    expect((await rig.bucket.keys()).filter((key) => !key.startsWith("app")).toSorted()).toEqual([
      "foreign-2.m3u8",
      "foreign-2.m3u8.metadata.json",
      "foreign.m3u8",
      "live.m3u8",
      "live.m3u8.metadata.json",
    ]);
    expect(await rig.bucket.text("foreign.m3u8")).toBe(FOREIGN);
  });

  it("D1a: keeps every object by default, and the third within a day is said and counted", async () => {
    await using rig = await startRig();
    const worker = await rig.start();
    let before: string | undefined;
    for (const text of ["one", "two, longer", "three, longer still"]) {
      before = (await rig.completed(replace(rig, "doc.txt", text), { not: before })).id;
    }
    expect(await rig.records.stream(before ?? "")).toMatchObject({ s3_key: "doc-3.txt", name_number: "3" });
    await worker.said("SLUICE_ON_REPLACE");
    expect(await counted(worker, "sluice_repeated_names_total")).toBe(1);
    expect(await rig.bucket.text("doc.txt")).toBe("one");
    expect(await rig.bucket.text("doc-2.txt")).toBe("two, longer");
    await auditRig(rig);
  });
});
