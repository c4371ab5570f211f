import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import type { FileFacts, TidyChecks, WriterProbe, Writers } from "@sluice/core";
import { DiskFileTidier } from "../src/files/tidy/disk-file-tidier.ts";
import { factsOf } from "../src/files/file-facts.ts";
import { pathBuffer } from "../src/files/path-buffer.ts";
import { recoverTidying } from "../src/files/tidy/recover-tidying.ts";
import { tidyName } from "../src/files/tidy/tidy-name.ts";
import { runAsNobody } from "./run-as-nobody.ts";
import { temporaryDirectory, type TemporaryDirectory } from "./temporary-directory.ts";

let directory: TemporaryDirectory;
let watch: string;
let path: string;
let snapshot: FileFacts;

beforeEach(() => {
  directory = temporaryDirectory();
  watch = directory.at("watch");
  mkdirSync(watch);
  path = write("a.mp4", "verified content");
  snapshot = facts(path);
});

afterEach(() => {
  directory[Symbol.dispose]();
});

/** What happens while the file is tidied, and what is answered: before it is hidden and once it is. */
interface Meanwhile {
  before?: () => void;
  hidden?: (hidden: string) => void;
  first?: Writers;
  fresh?: Writers;
}

function tidier({ before, hidden, first, fresh }: Meanwhile = {}): DiskFileTidier {
  return new DiskFileTidier({
    writers: {
      openForWriting: (file, _facts, question) => {
        if (question?.fresh) hidden?.(file);
        else before?.();
        return Promise.resolve((question?.fresh ? fresh : first) ?? { kind: "closed" });
      },
    },
  });
}

function checks(of: FileFacts = snapshot, over: Partial<TidyChecks> = {}): TidyChecks {
  return { snapshot: of, unseen: false, proved: () => Promise.resolve(true), ...over };
}

function write(name: string, content: string): string {
  const file = join(watch, name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(pathBuffer(file), content);
  return file;
}

function facts(file: string): FileFacts {
  return factsOf(lstatSync(pathBuffer(file), { bigint: true }));
}

function content(file: string): string {
  return readFileSync(pathBuffer(file), "utf8");
}

function names(of = watch): string[] {
  return readdirSync(of, { recursive: true, encoding: "utf8" }).toSorted();
}

describe("removing", () => {
  it("deletes the file that was verified, and leaves nothing", async () => {
    expect(await tidier().remove(path, checks())).toEqual({ kind: "done" });
    expect(names()).toEqual([]);
  });

  it("works for names that are not UTF-8, and for the longest there are", async () => {
    for (const name of ["bad-\udcff", "n".repeat(255)]) {
      const file = write(name, "x");
      expect(await tidier().remove(file, checks(facts(file)))).toEqual({ kind: "done" });
    }
    expect(names()).toEqual(["a.mp4"]);
  });

  it("says gone when the file is not there", async () => {
    rmSync(path);
    expect(await tidier().remove(path, checks())).toEqual({ kind: "gone" });
    expect(await tidier().remove(join(watch, "b"), checks())).toEqual({ kind: "gone" });
  });

  it("says gone when the file vanishes at the last moment", async () => {
    expect(await tidier({ before: () => rmSync(path) }).remove(path, checks())).toEqual({ kind: "gone" });
    expect(names()).toEqual([]);
  });

  it.each<[string, () => void]>([
    ["it grew", () => appendFileSync(path, "more")],
    ["other bytes of the same length were written", () => writeFileSync(path, "verified CONTENT")],
    ["only its mtime is another", () => utimesSync(path, 1, 1)],
    [
      "another file has its name",
      () => {
        renameSync(path, join(watch, "kept"));
        writeFileSync(path, "verified content");
      },
    ],
    [
      "a link has its name",
      () => {
        renameSync(path, join(watch, "kept"));
        symlinkSync("kept", path);
      },
    ],
  ])("touches nothing when %s", async (_, change) => {
    change();
    const before = names().map((name) => [name, content(join(watch, name))]);
    expect(await tidier().remove(path, checks())).toEqual({ kind: "changed" });
    expect(names().map((name) => [name, content(join(watch, name))])).toEqual(before);
  });

  it("remembers where a file lies hidden whose volume went away, for the walk that finds the volume again", async () => {
    const away = directory.at("away");
    const one = tidier({ hidden: () => renameSync(watch, away) });
    expect((await one.remove(path, checks())).kind).not.toBe("done");
    renameSync(away, watch);
    expect(one.takeLeft(watch)).toBe(true);
    expect((await recoverTidying(watch, one.busy)).putBack).toEqual([path]);
    expect(one.takeLeft(watch)).toBe(false);
  });

  it.each<[string, () => void]>([
    ["it is written", () => appendFileSync(path, "more")],
    [
      "another file takes its name",
      () => {
        renameSync(path, join(watch, "kept"));
        writeFileSync(path, "new");
      },
    ],
  ])("puts it back when %s at the last moment", async (_, change) => {
    expect(await tidier({ before: change }).remove(path, checks())).toEqual({ kind: "changed" });
    expect(names().filter((name) => name.includes("sluice"))).toEqual([]);
    expect(content(path)).toMatch(/more$|^new$/);
  });

  it("refuses while a process holds the file open for writing", async () => {
    const open = { kind: "open", pid: 7, command: "ffmpeg" } as const;
    expect(await tidier({ first: open }).remove(path, checks())).toEqual(open);
    expect(content(path)).toBe("verified content");
  });

  it("D7b: asks anew who writes it once it is hidden, with the device number it has now", async () => {
    const open = { kind: "open", pid: 7, command: "ffmpeg" } as const;
    const asked: FileFacts[] = [];
    const writers: WriterProbe = {
      openForWriting: (_path, now, question) => {
        asked.push(now);
        return Promise.resolve(question?.fresh ? open : { kind: "closed" });
      },
    };
    const remounted = { ...snapshot, device: "999999" };
    expect(await new DiskFileTidier({ writers }).remove(path, checks(remounted))).toEqual(open);
    expect(asked.map(({ device }) => device)).toEqual([snapshot.device, snapshot.device]);
    expect(names()).toEqual(["a.mp4"]);
  });

  it.each<[string, Meanwhile]>([
    ["before it is hidden", { first: { kind: "unknown", detail: "hidden." } }],
    ["only then", { fresh: { kind: "unknown", detail: "hidden." } }],
  ])("D7b: keeps it where writers cannot be seen %s, unless that is allowed", async (_case, seen) => {
    expect(await tidier(seen).remove(path, checks())).toEqual({ kind: "unseen", detail: "hidden." });
    expect(content(path)).toBe("verified content");
    const now = checks(facts(path), { unseen: true });
    expect(await tidier(seen).remove(path, now)).toEqual({ kind: "done" });
  });

  it("D7b: tells other bytes of the same size under the old mtime by the ctime", async () => {
    const { atimeMs, mtimeMs } = lstatSync(path);
    writeFileSync(path, "verified CONTENT");
    utimesSync(path, atimeMs / 1_000, mtimeMs / 1_000);
    const now = { ...facts(path), mtimeNs: snapshot.mtimeNs };
    // utimes keeps milliseconds only, so the mtime is compared as if it had been set exactly.
    const told = await tidier().remove(path, checks({ ...snapshot, mtimeNs: facts(path).mtimeNs }));
    expect(told).toEqual({ kind: "touched", now: { ...now, mtimeNs: facts(path).mtimeNs } });
    expect(content(path)).toBe("verified CONTENT");
  });

  it.each<[string, (hidden: string) => void]>([
    ["it is written under its hidden name", (hidden) => appendFileSync(hidden, "more")],
    ["only its rights change", (hidden) => chmodSync(hidden, 0o600)],
  ])("D5a: puts it back when %s while its object is asked for", async (_case, change) => {
    let hidden = "";
    const asked = checks(snapshot, {
      proved: () => {
        expect(names()).not.toContain("a.mp4");
        change(hidden);
        return Promise.resolve(true);
      },
    });
    expect(await tidier({ hidden: (file) => (hidden = file) }).remove(path, asked)).toEqual({
      kind: "changed",
    });
    expect(names()).toEqual(["a.mp4"]);
  });

  it("D5a: puts it back when its object is not proved, also when asking fails", async () => {
    const no = checks(snapshot, { proved: () => Promise.resolve(false) });
    expect(await tidier().remove(path, no)).toEqual({ kind: "unproved" });
    expect(content(path)).toBe("verified content");
    const fails = checks(facts(path), { proved: () => Promise.reject(new Error("away")) });
    await expect(tidier().remove(path, fails)).rejects.toThrow("away");
    expect(content(path)).toBe("verified content");
    expect(names()).toEqual(["a.mp4"]);
  });

  it("says what forbids it, and leaves the file", () => {
    chmodSync(watch, 0o555);
    const told = runAsNobody("tidy.ts", path);
    expect(told).toMatchObject({ kind: "impossible", detail: expect.stringContaining("EACCES") });
    expect(content(path)).toBe("verified content");
  });
});

describe("moving", () => {
  it("gives the file its path below the target directory", async () => {
    const deep = write("deep/er/b.mp4", "deep");
    const target = directory.at("done");
    expect(await tidier().move(deep, checks(facts(deep)), target, "deep/er/b.mp4")).toEqual({ kind: "done" });
    expect(content(directory.at("done/deep/er/b.mp4"))).toBe("deep");
    expect(names()).toEqual(["a.mp4", "deep", "deep/er"]);
  });

  it("never overwrites what is in the target directory", async () => {
    mkdirSync(directory.at("done"));
    writeFileSync(directory.at("done/a.mp4"), "earlier");
    expect(await tidier().move(path, checks(), directory.at("done"), "a.mp4")).toEqual({ kind: "done" });
    expect(content(directory.at("done/a.mp4"))).toBe("earlier");
    expect(content(directory.at("done/a-2.mp4"))).toBe("verified content");
  });

  it("to another file system copies, proves and names the whole file there, with its times", async () => {
    const target = otherFileSystem();
    utimesSync(path, 1_000, 1_000.5);
    expect(await tidier().move(path, checks(facts(path)), target, "x/a.mp4")).toEqual({ kind: "done" });
    expect(content(join(target, "x/a.mp4"))).toBe("verified content");
    expect(lstatSync(join(target, "x/a.mp4")).mtimeMs).toBe(1_000_500);
    expect(names(target)).toEqual(["x", "x/a.mp4"]);
    expect(names()).toEqual([]);
  });

  it("to another file system takes an equal file there for its own earlier copy, and any other for another's", async () => {
    const target = otherFileSystem();
    writeFileSync(join(target, "a.mp4"), "VERIFIED CONTENT");
    writeFileSync(join(target, "a-2.mp4"), "verified content");
    expect(await tidier().move(path, checks(), target, "a.mp4")).toEqual({ kind: "done" });
    expect(names(target)).toEqual(["a-2.mp4", "a.mp4"]);
    expect(names()).toEqual([]);
  });

  it("F28: that cannot be, for want of room or rights, puts the file back", async () => {
    writeFileSync(directory.at("file"), "in the way");
    const told = await tidier().move(path, checks(), directory.at("file"), "a.mp4");
    expect(told).toMatchObject({ kind: "impossible", detail: expect.stringMatching(/ENOTDIR|EEXIST/) });
    expect(content(path)).toBe("verified content");
    expect(names()).toEqual(["a.mp4"]);
  });
});

describe("a crash in the middle", () => {
  function hidden(name: string, text: string): string {
    const file = join(watch, dirname(name), tidyName(), basename(name));
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(pathBuffer(file), text);
    return file;
  }

  it("leaves a file that the next start puts back under its name", async () => {
    hidden("deep/b\udcff.mp4", "hidden");
    const recovery = await recoverTidying(watch);
    expect(recovery).toEqual({ putBack: [join(watch, "deep/b\udcff.mp4")], problems: [], left: false });
    expect(content(join(watch, "deep/b\udcff.mp4"))).toBe("hidden");
    expect(names().some((name) => name.includes("sluice"))).toBe(false);
  });

  it("never costs a file that has the name by now", async () => {
    hidden("a.mp4", "hidden");
    expect((await recoverTidying(watch)).putBack).toEqual([join(watch, "a-2.mp4")]);
    expect([content(path), content(join(watch, "a-2.mp4"))]).toEqual(["verified content", "hidden"]);
  });

  it("between link and unlink leaves two names of one file, which becomes one again", async () => {
    const file = hidden("b", "x");
    linkSync(file, join(watch, "b"));
    await recoverTidying(watch);
    expect(names()).toEqual(["a.mp4", "b"]);
    expect(lstatSync(join(watch, "b")).nlink).toBe(1);
  });

  it("is continued by the stream itself, whose file is not at its path", async () => {
    const file = hidden("b", "x");
    const stored = facts(file);
    // Putting it back moved its ctime, so its bytes are compared before it is tried again.
    const told = await tidier().remove(join(watch, "b"), checks(stored));
    expect(told).toMatchObject({ kind: "touched", now: { inode: stored.inode, mtimeNs: stored.mtimeNs } });
    expect(await tidier().remove(join(watch, "b"), checks(facts(join(watch, "b"))))).toEqual({
      kind: "done",
    });
    expect(names()).toEqual(["a.mp4"]);
  });

  it("is not taken for one while a file is just being tidied", async () => {
    const file = hidden("b", "x");
    expect(await recoverTidying(watch, new Set([dirname(file)]))).toEqual({
      putBack: [],
      problems: [],
      left: false,
    });
    expect(content(file)).toBe("x");
  });
});

/** A tmpfs where one can be mounted; /dev/shm is one already. */
function otherFileSystem(): string {
  const target = execFileSync("mktemp", ["-d", "/dev/shm/sluice-test-XXXXXX"], { encoding: "utf8" }).trim();
  onTestFinished(() => rmSync(target, { recursive: true }));
  expect(lstatSync(target).dev).not.toBe(lstatSync(watch).dev);
  return target;
}

describe("the marker of a file", () => {
  const marker = () => join(watch, "a.mp4.done");
  const marked = () => checks(snapshot, { markers: [marker()] });

  it("is deleted with it", async () => {
    write("a.mp4.done", "");
    expect(await tidier().remove(path, marked())).toEqual({ kind: "done" });
    expect(readdirSync(watch)).toEqual([]);
  });

  it("stays when it holds bytes: they are nowhere else", async () => {
    write("a.mp4.done", "checksum");
    expect(await tidier().remove(path, marked())).toEqual({ kind: "done" });
    expect(readdirSync(watch)).toEqual(["a.mp4.done"]);
  });

  it("is moved with it, whatever it holds", async () => {
    write("a.mp4.done", "checksum");
    expect(await tidier().move(path, marked(), directory.at("done"), "a.mp4")).toEqual({ kind: "done" });
    expect(readdirSync(watch)).toEqual([]);
    expect(readFileSync(join(directory.at("done"), "a.mp4.done"), "utf8")).toBe("checksum");
  });

  it("stays with a file that has its name meanwhile, and where it was written anew", async () => {
    write("a.mp4.done", "");
    expect(await tidier({ hidden: () => write("a.mp4", "the next one") }).remove(path, marked())).toEqual({
      kind: "done",
    });
    expect(readdirSync(watch)).toEqual(["a.mp4", "a.mp4.done"]);
  });

  it("stays where its file stays", async () => {
    write("a.mp4.done", "");
    await tidier({ before: () => appendFileSync(path, "x") }).remove(path, marked());
    expect(readdirSync(watch)).toEqual(["a.mp4", "a.mp4.done"]);
  });
});
