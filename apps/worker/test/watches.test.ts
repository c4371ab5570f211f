import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { audit, auditRig } from "./audit.ts";
import { PART, startRig, writeWhole } from "./rig.ts";

describe("two watches", { concurrent: true, timeout: 180_000 }, () => {
  it("with the same names in them keep their files apart, each under its own prefix", async () => {
    await using rig = await startRig({ watches: ["studio a", "studio-b"] });
    await rig.start();
    const other = join(rig.directory, "studio-b");
    const files = [];
    for (const [name, size] of [
      ["take.mov", 10],
      ["large.mov", PART + 1],
    ] as const) {
      files.push({ path: writeWhole(rig, name, randomBytes(size)), key: `studio-a/${name}` });
      const path = join(other, name);
      writeFileSync(path, randomBytes(size));
      files.push({ path, key: `studio-b/${name}` });
    }
    for (const { path } of files) await rig.completed(path);
    await audit(rig, files);
    expect(await rig.bucket.keys()).toHaveLength(8);
    for (const name of ["studio-a", "studio-b"]) expect(await rig.records.watchState(name)).toBe("ok");
    await auditRig(rig);
  });

  it("may have rules and prefixes of their own in the file", async () => {
    await using rig = await startRig({ watches: ["live", "archive"] });
    const file = join(rig.directory, "rules.yaml");
    const [live, archive] = [rig.root, join(rig.directory, "archive")];
    writeFileSync(
      file,
      `watches:
  - { name: live, path: ${live}, key_prefix: "on-air/", idle_timeout: 1h, idle_max: 1h }
  - { name: archive, path: ${archive}, key_prefix: "", exclude: "*.tmpfile" }
`,
    );
    await rig.start({ SLUICE_CONFIG: file, SLUICE_WATCH: "" });
    const patient = writeWhole(rig, "a.mov", "waits for its marker");
    writeFileSync(join(archive, "x.tmpfile"), "excluded");
    writeFileSync(join(archive, "b.mov"), "complete when quiet");
    await rig.completed(join(archive, "b.mov"));
    expect(await rig.records.live(patient)).toMatchObject({ status: "opening" });
    writeFileSync(`${patient}.done`, "");
    await rig.completed(patient);
    await audit(rig, [
      { path: patient, key: "on-air/a.mov" },
      { path: join(archive, "b.mov"), key: "b.mov" },
    ]);
    expect(await rig.bucket.keys()).toHaveLength(4);
    await auditRig(rig);
  });
});

describe("history that is over", { concurrent: true, timeout: 180_000 }, () => {
  it.each(["0", "1s"])(
    "(SLUICE_HISTORY=%s) forgets the streams but not the files: nothing is sent again",
    async (history) => {
      await using rig = await startRig({ env: { SLUICE_HISTORY: history } });
      const worker = await rig.start();
      const files = [
        { path: writeWhole(rig, "small.mov", randomBytes(10)), key: "small.mov" },
        { path: writeWhole(rig, "large.mov", randomBytes(PART + 1)), key: "large.mov" },
      ];
      for (const { path } of files)
        await rig.until(`${path} is done`, async () => await rig.records.done(path));
      await audit(rig, files);
      await rig.until("their streams are forgotten", async () => (await rig.records.streams()).length === 0, {
        withinMs: 120_000,
      });
      // A file that comes now is found by a walk that also meets the others; the same after a restart.
      const asked = rig.requests.length;
      const later = writeWhole(rig, "later.mov", "later");
      await rig.until("the later file is done", async () => await rig.records.done(later));
      expect(await worker.terminate()).toMatchObject({ code: 0 });
      await rig.start();
      const last = writeWhole(rig, "last.mov", "last");
      await rig.until("the last file is done", async () => await rig.records.done(last));
      const touched = rig.requests.slice(asked).map(({ key }) => key?.replace(".metadata.json", ""));
      expect(new Set(touched.filter((key) => key?.endsWith(".mov")))).toEqual(
        new Set(["later.mov", "last.mov"]),
      );
      await audit(rig, files);
    },
  );
});
