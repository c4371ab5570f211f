import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { audit, auditRig } from "./audit.ts";
import { PART, startRig, writeWhole, type Rig } from "./rig.ts";

const AS_NOBODY = fileURLToPath(new URL("fixtures/worker-as-nobody.ts", import.meta.url));

async function listen(path: string): Promise<Server> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return server;
}

/** The worker has looked at everything that was there before this call. */
async function everythingSeen(rig: Rig, name: string): Promise<void> {
  await rig.completed(writeWhole(rig, name, name));
}

describe("what is no regular file, or not meant", { concurrent: true, timeout: 120_000 }, () => {
  it("is no stream, and FIFOs by the dozen hold nothing up (F21, F22, F23)", async () => {
    await using rig = await startRig();
    const fifos = Array.from({ length: 12 }, (_, at) => join(rig.root, `fifo-${at}`));
    execFileSync("mkfifo", fifos);
    const socket = await listen(join(rig.root, "socket"));
    writeFileSync(join(rig.directory, "secret"), "outside the watch");
    mkdirSync(join(rig.directory, "elsewhere"));
    writeFileSync(join(rig.directory, "elsewhere", "secret"), "outside the watch");
    symlinkSync(join(rig.directory, "secret"), join(rig.root, "link"));
    symlinkSync(join(rig.directory, "elsewhere"), join(rig.root, "linked-folder"));
    symlinkSync("nowhere", join(rig.root, "dangling"));
    mkdirSync(join(rig.root, "folder.mov"));
    const path = writeWhole(rig, "real.mov", "the only file");
    await rig.start();
    await rig.completed(path);
    await everythingSeen(rig, "later.mov");
    await audit(rig, [
      { path, key: "real.mov" },
      { path: join(rig.root, "later.mov"), key: "later.mov" },
    ]);
    expect(await rig.records.streams()).toHaveLength(2);
    expect(await rig.bucket.keys()).toHaveLength(4);
    await auditRig(rig);
    socket.close();
  });

  it("hidden files, editors' leftovers, markers and our own names are none unless they are included by name", async () => {
    await using rig = await startRig({ env: { SLUICE_INCLUDE: "*.mov,.keep,*.swp" } });
    for (const name of [
      ".hidden",
      ".git/config",
      "a.mov~",
      ".nfs0001",
      "a.txt",
      ".sluice-x.mov",
      "x.mov.done",
    ]) {
      writeWhole(rig, name, "no stream");
    }
    const files = ["a.mov", ".keep", "b.swp"].map((name) => ({
      path: writeWhole(rig, name, name),
      key: name,
    }));
    await rig.start();
    for (const { path } of files) await rig.completed(path);
    await audit(rig, files);
    expect(await rig.records.streams()).toHaveLength(files.length);
  });

  it("files older than SLUICE_IGNORE_OLDER_THAN are left alone, and the worker says so", async () => {
    await using rig = await startRig({ env: { SLUICE_IGNORE_OLDER_THAN: "1h" } });
    const old = writeWhole(rig, "old.mov", "from before");
    execFileSync("touch", ["-d", "2 hours ago", old]);
    const path = writeWhole(rig, "new.mov", "of today");
    const worker = await rig.start();
    await rig.completed(path);
    await audit(rig, [{ path, key: "new.mov" }]);
    expect(await rig.records.streams()).toHaveLength(1);
    expect(worker.lines.some(({ msg }) => /older/i.test(msg))).toBe(true);
  });
});

describe("a file the worker may not read (F27)", { concurrent: true, timeout: 120_000 }, () => {
  it.each([
    ["small", 10],
    ["of several parts", PART + 10],
  ])("%s fails unreadable_file, stays visible, and heals when it may be read", async (_, size) => {
    await using rig = await startRig();
    const path = writeWhole(rig, "private.mov", randomBytes(size));
    chmodSync(path, 0o000);
    const worker = rig.launch({}, AS_NOBODY);
    await worker.ready();
    const failed = await rig.until("it fails", async () =>
      (await rig.records.generations(path)).find(({ status }) => status === "failed_unreadable_file"),
    );
    expect(failed["failure_detail"]).toContain("EACCES");
    expect(await rig.records.indexesOf(failed.id)).toEqual(["streams:failed"]);
    // Another file goes its way meanwhile.
    const other = writeWhole(rig, "public.mov", "for all");
    await rig.completed(other);
    chmodSync(path, 0o644);
    expect((await rig.completed(path)).id).toBe(failed.id);
    await audit(rig, [
      { path, key: "private.mov" },
      { path: other, key: "public.mov" },
    ]);
    await auditRig(rig);
  });

  it("a folder it may not read is told of once it is met, and the rest goes on", async () => {
    await using rig = await startRig();
    const hidden = writeWhole(rig, "closed/inside.mov", "unseen");
    chmodSync(join(rig.root, "closed"), 0o000);
    const path = writeWhole(rig, "open.mov", "seen");
    const worker = rig.launch({}, AS_NOBODY);
    await worker.ready();
    await rig.completed(path);
    await worker.said("cannot be read");
    chmodSync(join(rig.root, "closed"), 0o755);
    await rig.completed(hidden);
    await audit(rig, [
      { path, key: "open.mov" },
      { path: hidden, key: "closed/inside.mov" },
    ]);
    expect(worker.running).toBe(true);
  });
});
