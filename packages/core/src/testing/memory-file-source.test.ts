import { describe, expect, it } from "vitest";
import { sameFile } from "../stream/identity.ts";
import { ManualClock } from "./manual-clock.ts";
import { MemoryDisk, type MemoryDiskOptions } from "./memory-disk.ts";
import { MemoryFileSource } from "./memory-file-source.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function disk(options: Partial<MemoryDiskOptions> = {}) {
  const made = new MemoryDisk({ clock: new ManualClock(), ...options });
  made.append("/in/a", bytes("hello"));
  return { disk: made, files: new MemoryFileSource(made) };
}

const identity = (facts: { inode: string; birthtimeNs?: string }) => ({
  file_inode: facts.inode,
  ...(facts.birthtimeNs === undefined ? {} : { file_birthtime_ns: facts.birthtimeNs }),
});

describe("a disk in memory", () => {
  it("keeps the bytes a writer gives it, in place, past the end and after a cut", () => {
    const { disk: made } = disk();
    made.rewrite("/in/a", 1, bytes("E"));
    made.append("/in/a", bytes(" you"));
    made.truncate("/in/a", 7);
    expect(new TextDecoder().decode(made.bytes("/in/a"))).toBe("hEllo y");
  });

  it("keeps a file the same through growth and rename, and makes it another by replacing it", () => {
    const { disk: made } = disk();
    const before = identity(made.facts("/in/a"));
    made.append("/in/a", bytes("x"));
    made.rename("/in/a", "/in/b");
    expect(sameFile(before, made.facts("/in/b"), { at: "another_path", sentBytes: 6 })).toEqual({
      kind: "same",
    });
    expect(made.pathOf(made.facts("/in/b"))).toBe("/in/b");
    made.replace("/in/b", bytes("y"));
    expect(sameFile(before, made.facts("/in/b"), { at: "its_path" })).toMatchObject({ kind: "other" });
  });

  it("F9: gives the inode number of a deleted file to the next, when it is told to", () => {
    const { disk: made } = disk({ reuseInodes: true, birthtimes: false });
    const before = identity(made.facts("/in/a"));
    made.replace("/in/a", bytes("other"));
    expect(sameFile(before, made.facts("/in/a"), { at: "its_path" })).toEqual({ kind: "ask_bytes" });
  });

  it("gives every change a time of its own, whatever the clock says", () => {
    const { disk: made } = disk();
    const times = ["mtimeNs", "ctimeNs"] as const;
    const before = times.map((time) => BigInt(made.facts("/in/a")[time]));
    made.changeMode("/in/a");
    made.touch("/in/a");
    const after = times.map((time) => BigInt(made.facts("/in/a")[time]));
    expect(after.every((time, at) => time > (before[at] ?? 0n))).toBe(true);
  });
});

describe("the file ports over it", () => {
  it("F22, F32: tell a file from nothing, from what is no file, and from a volume that is away", async () => {
    const { disk: made, files } = disk();
    expect(await files.look("/in/a")).toMatchObject({ kind: "file", facts: { size: 5 } });
    expect(await files.look("/in/none")).toEqual({ kind: "missing" });
    made.putOddity("/in/fifo");
    expect(await files.open("/in/fifo")).toEqual({ kind: "not_a_stream", what: "FIFO" });
    made.unmount();
    expect(await files.look("/in/a")).toEqual({ kind: "missing" });
    expect(await files.whereabouts({ original_path: "/in/a" } as never)).toMatchObject({ kind: "offline" });
  });

  it("F11: read an open file to its end, whatever becomes of its path", async () => {
    const { disk: made, files } = disk();
    const opened = await files.open("/in/a");
    if (opened.kind !== "file") throw new Error("a file");
    made.delete("/in/a");
    const into = new Uint8Array(9);
    expect(await opened.file.read(into, 2)).toBe(3);
    expect(new TextDecoder().decode(into.subarray(0, 3))).toBe("llo");
    expect(await opened.file.read(into, 99)).toBe(0);
  });

  it("F12: fail reads with the system's code, as often as told", async () => {
    const { files } = disk();
    const opened = await files.open("/in/a");
    if (opened.kind !== "file") throw new Error("a file");
    files.failReads(1);
    await expect(opened.file.read(new Uint8Array(1), 0)).rejects.toMatchObject({
      name: "FileError",
      code: "EIO",
    });
    expect(await opened.file.read(new Uint8Array(1), 0)).toBe(1);
  });

  it("P8: touch a file only when it is what was stored", async () => {
    const { disk: made, files } = disk();
    const checks = { snapshot: made.facts("/in/a"), unseen: false, proved: () => Promise.resolve(true) };
    made.append("/in/a", bytes("x"));
    expect(await files.remove("/in/a", checks)).toEqual({ kind: "changed" });
    const now = { ...checks, snapshot: made.facts("/in/a") };
    expect(await files.remove("/in/a", { ...now, proved: () => Promise.resolve(false) })).toEqual({
      kind: "unproved",
    });
    expect(await files.move("/in/a", now, "/done", "a")).toEqual({ kind: "done" });
    expect(await files.remove("/in/a", checks)).toEqual({ kind: "gone" });
    expect(made.paths()).toEqual(["/done/a"]);
  });
});
