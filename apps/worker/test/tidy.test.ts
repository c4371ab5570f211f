/** After the upload, end to end: real worker, real Redis, real endpoint, real files. */
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { tidyName } from "../src/files/tidy/tidy-name.ts";
import { startRig, type Rig } from "./rig.ts";

const RULES =
  'after_upload_delay: "0"\nwatches:\n  - {path: kept}\n  - {path: deleted, after_upload: delete}\n  - {path: moved, after_upload: "move:archive"}\n';

function write(rig: Rig, name: string, content: string): string {
  const path = join(rig.directory, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return path;
}

it("a completed file is kept, deleted or moved, as its watch says, and what interrupted tidying hid is uploaded too", async () => {
  await using rig = await startRig({ watches: ["kept", "deleted", "moved"] });
  writeFileSync(join(rig.directory, "sluice.yaml"), RULES);
  const kept = write(rig, "kept/a.txt", "kept");
  const deleted = write(rig, "deleted/deep/a.txt", "deleted");
  const moved = write(rig, "moved/deep/a.txt", "moved");
  const hidden = write(rig, `deleted/${tidyName()}/b.txt`, "hidden by a crash");
  const archived = join(rig.directory, "archive/deep/a.txt");
  await rig.start();
  // On its way a file is hidden: that it is gone from its place is not the end.
  await rig.until(
    "files are tidied",
    () => !existsSync(deleted) && !existsSync(moved) && existsSync(archived) && !existsSync(dirname(hidden)),
  );
  await rig.until("the file that was hidden is uploaded and deleted", async () => {
    const keys = await rig.bucket.keys("deleted/");
    return keys.includes("deleted/b.txt") && readdirSync(join(rig.directory, "deleted")).length === 1;
  });
  await rig.completed(kept);
  expect(readFileSync(kept, "utf8")).toBe("kept");
  expect(readFileSync(archived, "utf8")).toBe("moved");
  for (const [key, text] of [
    ["kept/a.txt", "kept"],
    ["deleted/deep/a.txt", "deleted"],
    ["moved/deep/a.txt", "moved"],
    ["deleted/b.txt", "hidden by a crash"],
  ] as const) {
    expect(await rig.bucket.text(key)).toBe(text);
  }
  await rig.until("every stream is completed", async () =>
    (await rig.records.streams()).every(({ status }) => status === "completed"),
  );
  expect((await rig.records.streams()).map(({ tidy_error }) => tidy_error)).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});
