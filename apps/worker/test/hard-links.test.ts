/** A file in the watch that is a second name of one outside it: uploaded only where nobody can have smuggled it in. */
import { randomBytes } from "node:crypto";
import { chownSync, linkSync, mkdirSync, renameSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { DiskFileSource } from "../src/files/disk-file-source.ts";
import { audit, auditRig } from "./audit.ts";
import { PART, startRig, writeWhole, type Rig } from "./rig.ts";
import { counted } from "./rig/health.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

const AS_NOBODY = fileURLToPath(new URL("fixtures/worker-as-nobody.ts", import.meta.url));
const SOMEBODY = 54_321;
const SECRET = "root:$6$not for anyone";
/** Only root can give a file to somebody else. */
const isRoot = process.getuid?.() === 0;

/** A file outside the watch, owned by `owner`, and its second name inside. */
function smuggle(rig: Rig, name: string, owner: number): { inside: string; outside: string } {
  const outside = join(rig.directory, `outside-${name.replaceAll("/", "-")}`);
  writeFileSync(outside, SECRET + name);
  if (isRoot) chownSync(outside, owner, owner);
  const inside = join(rig.root, name);
  mkdirSync(join(inside, ".."), { recursive: true });
  linkSync(outside, inside);
  return { inside, outside };
}

describe("a file with a second name outside the watch", { concurrent: true, timeout: 120_000 }, () => {
  it.runIf(isRoot)(
    "of another owner is left alone, named once and counted, and uploaded once it has one name",
    async () => {
      await using rig = await startRig();
      const { inside, outside } = smuggle(rig, "smuggled.mov", SOMEBODY);
      const published = smuggle(rig, "published.mov", 0);
      const worker = rig.launch({}, AS_NOBODY);
      await worker.ready();
      const line = await worker.said("a file is left alone");
      expect(line).toMatchObject({ path: inside, why: expect.stringContaining("SLUICE_HARDLINKS") });
      await rig.completed(published.inside);
      for (const at of [1, 2]) await rig.completed(writeWhole(rig, `later-${at}.mov`, randomBytes(9)));
      expect(worker.lines.filter(({ msg }) => msg === "a file is left alone")).toHaveLength(1);
      expect(await counted(worker, "sluice_hardlinks_refused")).toBe(1);
      expect((await rig.records.streams()).map(({ original_path: path }) => path)).not.toContain(inside);
      unlinkSync(outside);
      await rig.completed(inside);
      await audit(rig, [
        { path: inside, key: "smuggled.mov" },
        { path: published.inside, key: "published.mov" },
      ]);
      await auditRig(rig);
    },
  );

  it.runIf(isRoot)(
    "of root, in a directory of somebody else, is left alone also by root's worker",
    async () => {
      await using rig = await startRig();
      const { inside } = smuggle(rig, "camera/shadow", 0);
      chownSync(join(rig.root, "camera"), SOMEBODY, SOMEBODY);
      const own = smuggle(rig, "camera/own.mov", SOMEBODY);
      const worker = await rig.start();
      expect(await worker.said("a file is left alone")).toMatchObject({ path: inside });
      await rig.completed(own.inside);
      expect(await rig.bucket.keys("camera/shadow")).toEqual([]);
    },
  );

  it("is never uploaded where links are refused, also when it takes the place of a file that is being sent", async () => {
    await using rig = await startRig({ env: { SLUICE_HARDLINKS: "refuse", SLUICE_IDLE_TIMEOUT: "1h" } });
    const worker = await rig.start();
    const path = writeWhole(rig, "growing.mov", randomBytes(PART + 1));
    await rig.live(path, ({ next_part: next }) => next === "2");
    const { inside } = smuggle(rig, "other.mov", 0);
    renameSync(inside, path);
    await rig.until("its stream has failed", async () =>
      (await rig.records.generations(path)).some(({ status }) => status === "failed_file_missing"),
    );
    expect(await worker.said("a file is left alone")).toMatchObject({
      why: expect.stringContaining("refuse"),
    });
    for (const key of await rig.bucket.keys()) expect(await rig.bucket.text(key)).not.toContain(SECRET);
  });
});

it("what was opened is asked, not the name: a link that came since is refused", async () => {
  using directory = temporaryDirectory();
  const root = directory.at("watch");
  mkdirSync(root);
  const path = join(root, "a");
  writeFileSync(path, "a");
  const files = new DiskFileSource({
    watches: [{ root, hardlinks: "refuse" }],
    writers: { openForWriting: () => Promise.resolve({ kind: "closed" }) },
  });
  expect((await files.lookFresh(path)).kind).toBe("file");
  linkSync(path, directory.at("outside"));
  expect((await files.look(path)).kind).toBe("file");
  expect(await files.open(path)).toMatchObject({
    kind: "not_a_stream",
    what: expect.stringContaining("hard link"),
  });
  unlinkSync(directory.at("outside"));
  expect((await files.lookFresh(path)).kind).toBe("file");
});
