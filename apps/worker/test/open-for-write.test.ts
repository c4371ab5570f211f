import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, closeSync, linkSync, lstatSync, openSync, renameSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { factsOf } from "../src/files/file-facts.ts";
import { OpenForWrite } from "../src/files/writers/open-for-write.ts";
import { scanOpenFiles, type OpenFiles } from "../src/files/writers/proc-fds.ts";
import { longestStretchMs } from "./longest-stretch.ts";
import { runAsNobody } from "./run-as-nobody.ts";
import { temporaryDirectory, type TemporaryDirectory } from "./temporary-directory.ts";

let directory: TemporaryDirectory;
let path: string;
let nowMs: number;
let probe: OpenForWrite;
let children: ChildProcess[];

beforeEach(() => {
  directory = temporaryDirectory();
  path = directory.at("a.mp4");
  writeFileSync(path, "x");
  nowMs = 0;
  // As if the file had been written a while ago.
  probe = new OpenForWrite({ monotonicMs: () => nowMs, wallMs: () => Date.now() + 1_000 });
  children = [];
});

afterEach(() => {
  for (const child of children) child.kill("SIGKILL");
  directory[Symbol.dispose]();
});

interface Holder {
  pid: number;
  close(): Promise<void>;
}

async function hold(file: string, flags: string): Promise<Holder> {
  const fixture = fileURLToPath(new URL("fixtures/hold-open.ts", import.meta.url));
  return await holdBy(process.execPath, [fixture, file, flags]);
}

async function holdBy(command: string, args: readonly string[]): Promise<Holder> {
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
  children.push(child);
  const lines = createInterface({ input: child.stdout });
  await once(lines, "line");
  return {
    pid: child.pid ?? 0,
    async close() {
      child.stdin.write("close\n");
      await once(lines, "line");
    },
  };
}

/** Node cannot map files. */
async function holdMapped(file: string, how: "shared" | "private" | "read" = "shared"): Promise<Holder> {
  return await holdBy("python3", [
    fileURLToPath(new URL("fixtures/hold-mapped.py", import.meta.url)),
    file,
    how,
  ]);
}

async function ask(file = path) {
  return await probe.openForWriting(file, factsOf(lstatSync(file, { bigint: true })));
}

describe("a file", () => {
  it("held open for writing by another process is open, under that process's name", async () => {
    for (const flags of ["a", "r+", "w"]) {
      const holder = await hold(path, flags);
      nowMs += 10_000;
      expect(await ask()).toEqual({ kind: "open", pid: holder.pid, command: expect.stringMatching(/^\S/) });
      await holder.close();
    }
  });

  it("D3a: that another process has mapped for writing is open, also with its descriptor closed", async () => {
    const holder = await holdMapped(path);
    nowMs += 10_000;
    expect(await ask()).toEqual({
      kind: "open",
      pid: holder.pid,
      command: expect.stringMatching(/^\S/),
      mapped: true,
    });
    renameSync(path, directory.at("renamed"));
    expect(await ask(directory.at("renamed"))).toMatchObject({ kind: "open", pid: holder.pid });
    await holder.close();
    nowMs += 10_000;
    expect(await ask(directory.at("renamed"))).toEqual({ kind: "closed" });
  });

  it("D3a: that another process has mapped privately, or to read, is closed", async () => {
    const holder = await holdMapped(path, "private");
    nowMs += 10_000;
    expect(await ask()).toEqual({ kind: "closed" });
    await holder.close();
    await holdMapped(path, "read");
    nowMs += 10_000;
    expect(await ask()).toEqual({ kind: "closed" });
  });

  it("that is only read is closed", async () => {
    await hold(path, "r");
    const own = openSync(path, "r");
    expect(await ask()).toEqual({ kind: "closed" });
    closeSync(own);
  });

  it("is known by what it is, whatever its name has become", async () => {
    const holder = await hold(path, "a");
    linkSync(path, directory.at("other-name"));
    renameSync(path, directory.at("renamed"));
    expect(await ask(directory.at("renamed"))).toMatchObject({ kind: "open", pid: holder.pid });
    expect(await ask(directory.at("other-name"))).toMatchObject({ kind: "open", pid: holder.pid });
    writeFileSync(path, "another file under the old name");
    nowMs += 10_000;
    expect(await ask()).toEqual({ kind: "closed" });
  });

  it("with the inode number of an open file of another file system is closed", async () => {
    await hold(path, "a");
    const facts = factsOf(lstatSync(path, { bigint: true }));
    expect(await probe.openForWriting(path, { ...facts, device: `${BigInt(facts.device) + 1n}` })).toEqual({
      kind: "closed",
    });
  });
});

describe("one look", () => {
  it("D7b: is not believed where a fresh one is asked for", async () => {
    expect(await ask()).toEqual({ kind: "closed" });
    const holder = await hold(path, "a");
    expect(await ask()).toEqual({ kind: "closed" });
    const facts = factsOf(lstatSync(path, { bigint: true }));
    const fresh = { fresh: true, tidying: true };
    expect(await probe.openForWriting(path, facts, fresh)).toMatchObject({ kind: "open", pid: holder.pid });
  });

  it("answers every question of the next second", async () => {
    expect(await ask()).toEqual({ kind: "closed" });
    await hold(path, "a");
    nowMs += 1_000;
    expect(await ask()).toEqual({ kind: "closed" });
    nowMs += 1;
    expect(await ask()).toMatchObject({ kind: "open" });
  });

  it("from before the file's last change does not answer for it", async () => {
    probe = new OpenForWrite({ monotonicMs: () => nowMs, wallMs: () => Date.now() });
    expect(await ask()).toEqual({ kind: "closed" });
    const holder = await hold(path, "a");
    appendFileSync(path, "more");
    expect(await ask()).toMatchObject({ kind: "open", pid: holder.pid });
  });

  it("is taken again when whoever held the file has let go, so that a closed file is not waited for", async () => {
    const first = await hold(path, "a");
    const second = await hold(path, "r+");
    expect(await ask()).toMatchObject({ kind: "open" });
    await first.close();
    expect(await ask()).toMatchObject({ kind: "open", pid: second.pid });
    await second.close();
    expect(await ask()).toEqual({ kind: "closed" });
  });

  it("is shared by questions asked at once", async () => {
    const holder = await hold(path, "a");
    const answers = await Promise.all(Array.from({ length: 100 }, () => ask()));
    expect(answers.every((answer) => answer.kind === "open" && answer.pid === holder.pid)).toBe(true);
  });

  it("at thousands of open files holds the event loop for a few milliseconds at a time", async () => {
    const fds = Array.from({ length: 5_000 }, (_, at) => {
      const file = directory.at(`f${at}`);
      appendFileSync(file, "");
      return openSync(file, "a");
    });
    const found: OpenFiles[] = [];
    const longest = await longestStretchMs(async () => found.push(await scanOpenFiles()));
    for (const fd of fds) closeSync(fd);
    const inodes = fds.map((_, at) => String(lstatSync(directory.at(`f${at}`), { bigint: true }).ino));
    expect(
      inodes.every((inode) => found[0]?.writers.get(inode)?.some(({ pid }) => pid === process.pid)),
    ).toBe(true);
    expect(longest).toBeLessThan(50);
  });
});

describe("a user without rights", () => {
  it("is told that other users' files cannot be seen, and gets no false 'closed'", async () => {
    await hold(path, "a");
    const told = runAsNobody("ask-open.ts", path);
    if (process.getuid?.() !== 0) return expect(told).toMatchObject({ answer: { kind: "open" } });
    expect(told).toMatchObject({
      answer: { kind: "unknown", detail: expect.stringContaining("of other users cannot be seen") },
      visibility: { seen: "some", detail: expect.stringContaining("of other users cannot be seen") },
    });
  });
});
