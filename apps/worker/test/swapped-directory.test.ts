/**
 * A directory of the watch is swapped for a link, by a deployment, an operator or somebody who wants another file read,
 * and back. Nothing is ever read through the link from outside; once the directory is back, its files resume by themselves.
 */
import { randomBytes } from "node:crypto";
import {
  appendFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { audit, auditRig } from "./audit.ts";
import { PART, startRig, writeWhole, type Rig } from "./rig.ts";

const OPEN = { SLUICE_IDLE_TIMEOUT: "1h", SLUICE_IDLE_MAX: "1h" };
const SECRET = "not for anyone's eyes";

interface Swap {
  what: string;
  /** Takes the directory away and puts a link in its place. */
  swap(rig: Rig, directory: string): () => void;
}

function away(directory: string, to: string, target: string): () => void {
  renameSync(directory, to);
  symlinkSync(target, directory);
  return () => {
    unlinkSync(directory);
    renameSync(to, directory);
  };
}

const SWAPS: readonly Swap[] = [
  {
    what: "a link to itself, moved out of the watch",
    swap: (rig, directory) => away(directory, join(rig.directory, "aside"), join(rig.directory, "aside")),
  },
  {
    what: "a link to itself, renamed inside the watch",
    swap: (rig, directory) => away(directory, join(rig.root, "renamed"), "renamed"),
  },
  {
    what: "a link to nothing",
    swap: (rig, directory) => away(directory, join(rig.directory, "aside"), "nowhere"),
  },
  {
    what: "a link to another directory with files of the same names",
    swap: (rig, directory) => {
      const decoy = join(rig.directory, "decoy");
      mkdirSync(decoy, { recursive: true });
      for (const name of ["growing.mov", "done.mov", "new.mov"])
        writeFileSync(join(decoy, name), SECRET.repeat(400_000));
      return away(directory, join(rig.directory, "aside"), decoy);
    },
  },
];

/** Two files that are found one after the other: a walk has begun and ended in between. */
async function aWalkHasPassed(rig: Rig, name: string): Promise<void> {
  for (const at of [1, 2]) await rig.completed(marked(rig, `${name}-${at}.mov`, randomBytes(9)));
}

function marked(rig: Rig, name: string, bytes: Buffer): string {
  const path = writeWhole(rig, name, bytes);
  writeFileSync(`${path}.done`, "");
  return path;
}

describe("a directory that is swapped for a link and back", { concurrent: true, timeout: 180_000 }, () => {
  it.each(SWAPS)("heals by itself: $what", async ({ swap }) => {
    await using rig = await startRig({ env: OPEN });
    await rig.start();
    const directory = join(rig.root, "camera");
    const path = writeWhole(rig, "camera/growing.mov", randomBytes(PART + 1));
    const done = marked(rig, "camera/done.mov", randomBytes(9));
    await rig.completed(done);
    const { id } = await rig.live(path, ({ next_part: next }) => next === "2");
    const back = swap(rig, directory);
    await aWalkHasPassed(rig, "while");
    back();
    appendFileSync(path, randomBytes(PART));
    writeFileSync(`${path}.done`, "");
    expect((await rig.completed(path)).id).toBe(id);
    await aWalkHasPassed(rig, "after");
    await audit(rig, [{ path, key: "camera/growing.mov" }]);
    // Seen anew or not: its object is recognised.
    await rig.completed(done);
    expect((await rig.bucket.keys("camera/done")).filter((key) => !key.endsWith(".json"))).toEqual([
      "camera/done.mov",
    ]);
    const left = (await rig.records.streams()).filter(({ status }) => status !== "completed");
    expect(left).toEqual([]);
    await auditRig(rig);
  });

  it("heals after swaps at any moment, and nothing from behind the link is in the bucket", async () => {
    await using rig = await startRig({ env: OPEN });
    await rig.start();
    const directory = join(rig.root, "camera");
    const names = ["a.mov", "b.mov", "c.mov"];
    const decoy = join(rig.directory, "decoy");
    mkdirSync(decoy);
    for (const name of names) writeFileSync(join(decoy, name), SECRET.repeat(400_000));
    const paths = names.map((name) => writeWhole(rig, `camera/${name}`, randomBytes(PART + 1)));
    const swapUntil = performance.now() + 8_000;
    for (let at = 0; performance.now() < swapUntil; at += 1) {
      const back = away(directory, join(rig.directory, "aside"), decoy);
      await sleep(at % 7 === 0 ? 1_500 : (at * 13) % 40);
      back();
      for (const path of paths) appendFileSync(path, randomBytes(9));
      await sleep((at * 29) % 60);
    }
    for (const path of paths) writeFileSync(`${path}.done`, "");
    for (const path of paths) await rig.completed(path);
    for (const [at, path] of paths.entries())
      expect((await rig.bucket.bytes(`camera/${names[at]}`)).equals(readFileSync(path))).toBe(true);
    for (const key of await rig.bucket.keys()) expect(await rig.bucket.text(key)).not.toContain(SECRET);
  });
});
