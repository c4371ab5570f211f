import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  lstatSync,
  mkdirSync,
  renameSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sameFile, type FileFacts, type Look, type OpenFile } from "@sluice/core";
import { DiskFileSource } from "../src/files/disk-file-source.ts";
import { pathBuffer } from "../src/files/path-buffer.ts";
import { runAsNobody } from "./run-as-nobody.ts";
import { temporaryDirectory, type TemporaryDirectory } from "./temporary-directory.ts";

let directory: TemporaryDirectory;
let root: string;
let files: DiskFileSource;

beforeEach(() => {
  directory = temporaryDirectory();
  root = directory.at("watch");
  mkdirSync(root);
  files = source(root);
});

afterEach(() => {
  directory[Symbol.dispose]();
});

function source(...roots: string[]): DiskFileSource {
  return new DiskFileSource({
    watches: roots.map((one) => ({ root: one, hardlinks: "allow" as const })),
    writers: { openForWriting: () => Promise.resolve({ kind: "closed" }) },
  });
}

function write(name: string, content = "content"): string {
  const path = join(root, name);
  writeFileSync(pathBuffer(path), content);
  return path;
}

async function facts(path: string): Promise<FileFacts> {
  const look = await files.look(path);
  if (look.kind !== "file") throw new Error(`not a file: ${look.kind}`);
  return look.facts;
}

async function openFile(path: string): Promise<OpenFile> {
  const opened = await files.open(path);
  if (opened.kind !== "file") throw new Error(`not opened: ${JSON.stringify(opened)}`);
  return opened.file;
}

describe("look", () => {
  it("gives size, identity and times without losing a nanosecond", async () => {
    const path = write("a.mp4", "12345");
    const stats = lstatSync(path, { bigint: true });
    expect(await facts(path)).toMatchObject({
      size: 5,
      inode: `${stats.ino}`,
      device: `${stats.dev}`,
      mtimeNs: `${stats.mtimeNs}`,
      ctimeNs: `${stats.ctimeNs}`,
    });
  });

  it("knows a file that grew, and one that was renamed, as the same", async () => {
    const path = write("a.mp4");
    const before = await facts(path);
    appendFileSync(path, "more");
    renameSync(path, join(root, "b.mp4"));
    const after = await facts(join(root, "b.mp4"));
    const known = {
      file_inode: before.inode,
      ...(before.birthtimeNs ? { file_birthtime_ns: before.birthtimeNs } : {}),
    };
    const asked = { at: "another_path", sentBytes: before.size } as const;
    expect(sameFile(known, after, asked)).toEqual({ kind: before.birthtimeNs ? "same" : "ask_bytes" });
    expect(after.birthtimeNs).toBe(before.birthtimeNs);
  });

  it("tells a missing file from one below something that is no directory", async () => {
    const path = write("a.mp4");
    expect(await files.look(join(root, "gone"))).toEqual({ kind: "missing" });
    expect(await files.look(join(path, "below"))).toEqual({ kind: "missing" });
  });

  it("names what is not a regular file", async () => {
    execFileSync("mkfifo", [join(root, "fifo")]);
    symlinkSync("/etc/hostname", join(root, "link"));
    const socket = createServer();
    await new Promise<void>((resolve) => socket.listen(join(root, "socket"), resolve));
    const kinds = await Promise.all(
      [root, join(root, "fifo"), join(root, "link"), join(root, "socket"), "/dev/null"].map((path) =>
        files.look(path),
      ),
    );
    socket.close();
    expect(kinds.map((look: Look) => (look.kind === "not_a_stream" ? look.what : look.kind))).toEqual([
      "a directory",
      "a FIFO",
      "a symbolic link",
      "a socket",
      "a device",
    ]);
  });

  it("reaches a name that is not UTF-8, and reads its bytes", async () => {
    const path = write("take-\udcff\udcfe.mp4", "raw");
    expect((await facts(path)).size).toBe(3);
    await using file = await openFile(path);
    const into = Buffer.alloc(3);
    expect(await file.read(into, 0)).toBe(3);
    expect(into.toString()).toBe("raw");
  });
});

describe("open", () => {
  it("reads at an offset, and fewer bytes than asked for where the file ends", async () => {
    await using file = await openFile(write("a.mp4", "0123456789"));
    const into = Buffer.alloc(8);
    expect(await file.read(into, 4)).toBe(6);
    expect(into.subarray(0, 6).toString()).toBe("456789");
    expect(await file.read(into, 100)).toBe(0);
  });

  it("describes the file it opened, whatever becomes of the name", async () => {
    const path = write("a.mp4", "first");
    await using file = await openFile(path);
    renameSync(path, join(root, "elsewhere"));
    write("a.mp4", "another");
    expect((await file.facts()).size).toBe(5);
    truncateSync(join(root, "elsewhere"), 2);
    expect((await file.facts()).size).toBe(2);
  });

  it("is not held up by FIFOs, however many there are", async () => {
    const names = Array.from({ length: 8 }, (_, at) => join(root, `fifo-${at}`));
    execFileSync("mkfifo", names);
    const opened = await Promise.all(names.map((name) => files.open(name)));
    expect(opened.map(({ kind }) => kind)).toEqual(names.map(() => "not_a_stream"));
    await using file = await openFile(write("a.mp4"));
    expect((await file.facts()).size).toBe(7);
  });

  it("X11, F23: refuses a link, and a file behind a linked directory that leads out of the watch", async () => {
    mkdirSync(directory.at("secret"));
    writeFileSync(directory.at("secret", "key"), "secret");
    symlinkSync(directory.at("secret"), join(root, "way-out"));
    symlinkSync(directory.at("secret", "key"), join(root, "leaf"));
    expect(await files.open(join(root, "leaf"))).toEqual({ kind: "not_a_stream", what: "a symbolic link" });
    expect(await files.open(join(root, "way-out", "key"))).toMatchObject({ kind: "not_a_stream" });
    expect(await files.open(directory.at("secret", "key"))).toMatchObject({ kind: "not_a_stream" });
  });

  it("takes a directory whose name only begins like the watch's for another one", async () => {
    mkdirSync(directory.at("watch-2"));
    writeFileSync(directory.at("watch-2", "a"), "");
    symlinkSync(directory.at("watch-2"), join(root, "near"));
    expect(await files.open(join(root, "near", "a"))).toMatchObject({ kind: "not_a_stream" });
  });

  it("follows the watch's own root when that is a link, also after it leads elsewhere", async () => {
    for (const name of ["volume-1", "volume-2"]) {
      mkdirSync(directory.at(name));
      writeFileSync(directory.at(name, "a.mp4"), name);
    }
    const linked = directory.at("linked");
    files = source(linked);
    for (const name of ["volume-1", "volume-2"]) {
      symlinkSync(name, `${linked}-next`);
      renameSync(`${linked}-next`, linked);
      await using file = await openFile(join(linked, "a.mp4"));
      const into = Buffer.alloc(8);
      await file.read(into, 0);
      expect(into.toString()).toBe(name);
    }
  });

  it("turns trouble while reading into a FileError with the system's code", async () => {
    const file = await openFile(write("a.mp4"));
    await file[Symbol.asyncDispose]();
    await expect(file.read(Buffer.alloc(1), 0)).rejects.toMatchObject({ name: "FileError", code: "EBADF" });
    await expect(file.facts()).rejects.toMatchObject({ name: "FileError", code: "EBADF" });
  });

  it("says missing for a file that is gone", async () => {
    expect(await files.open(join(root, "gone"))).toEqual({ kind: "missing" });
  });

  it("says which right it lacks", () => {
    const path = write("a.mp4");
    chmodSync(path, 0);
    const seen = runAsNobody("look-and-open.ts", root, path);
    expect(seen).toMatchObject({
      look: { kind: "file" },
      opened: { kind: "unreadable", code: "EACCES" },
    });
  });
});

describe("marker", () => {
  it("is the mtime of a regular file named <name>.done, and nothing else", async () => {
    const path = write("a.mp4");
    expect(await files.marker(path)).toBeUndefined();
    mkdirSync(`${path}.done`);
    expect(await files.marker(path)).toBeUndefined();
    const marked = write("b.mp4");
    write("b.mp4.done", "");
    utimesSync(`${marked}.done`, 1_700_000_000, 1_700_000_000);
    expect(await files.marker(marked)).toBe("1700000000000000000");
  });
});
