/**
 * Renames onto names that are known already, each while the worker runs and while it is down. What must come of it: every
 * file is known under its own identity, nothing that is in S3 goes up again, and no key of another file is used.
 */
import { randomBytes } from "node:crypto";
import {
  copyFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PART, startRig, writeWhole, type Rig } from "./rig.ts";
import { GrowingFile } from "./rig/growing-file.ts";

interface Case {
  what: string;
  /** Completed before. */
  done?: readonly string[];
  /** Held open, with a part in S3. */
  live?: readonly string[];
  /** Held open, with nothing in S3. */
  small?: readonly string[];
  change(at: At): void;
  /** Name → key, in the end. */
  ends: Readonly<Record<string, string>>;
  /** Keys that get an object after the change. */
  sent?: readonly string[];
  /** Streams whose file was overwritten by a known one. */
  superseded?: number;
}

/** What a change does, by names. */
interface At {
  mv(from: string, to: string): void;
  write(name: string, text: string): void;
  path(name: string): string;
}

const swap = (at: At, a: string, b: string): void => {
  at.mv(a, "third.name");
  at.mv(b, a);
  at.mv("third.name", b);
};
const circle = (at: At, [a, b, c]: readonly [string, string, string]): void => {
  at.mv(a, "third.name");
  at.mv(c, a);
  at.mv(b, c);
  at.mv("third.name", b);
};

const CASES: Case[] = [
  {
    what: "a completed file renamed onto a completed name",
    done: ["a.bin", "b.bin"],
    change: (at) => at.mv("a.bin", "b.bin"),
    ends: { "b.bin": "a.bin" },
  },
  {
    what: "two completed files that swap names",
    done: ["a.bin", "b.bin"],
    change: (at) => swap(at, "a.bin", "b.bin"),
    ends: { "a.bin": "b.bin", "b.bin": "a.bin" },
  },
  {
    what: "three completed names in a circle",
    done: ["a.bin", "b.bin", "c.bin"],
    change: (at) => circle(at, ["a.bin", "b.bin", "c.bin"]),
    ends: { "b.bin": "a.bin", "c.bin": "b.bin", "a.bin": "c.bin" },
  },
  {
    what: "logrotate with create",
    done: ["app.log", "app.log.1"],
    change(at) {
      at.mv("app.log.1", "app.log.2");
      at.mv("app.log", "app.log.1");
      at.write("app.log", "the next day");
    },
    ends: { "app.log": "app-2.log", "app.log.1": "app.log", "app.log.2": "app.log.1" },
    sent: ["app-2.log"],
  },
  {
    what: "logrotate with compress",
    done: ["app.log"],
    change(at) {
      at.mv("app.log", "app.log.1");
      at.write("app.log.1.gz", "compressed");
      rmSync(at.path("app.log.1"));
    },
    ends: { "app.log.1.gz": "app.log.1.gz" },
    sent: ["app.log.1.gz"],
  },
  {
    what: "logrotate with copytruncate",
    done: ["app.log"],
    change(at) {
      copyFileSync(at.path("app.log"), at.path("app.log.1"));
      truncateSync(at.path("app.log"));
      at.write("app.log", "short");
    },
    ends: { "app.log": "app-2.log", "app.log.1": "app.log.1" },
    sent: ["app-2.log", "app.log.1"],
  },
  {
    what: "zip -u, which renames its temporary file over the archive",
    done: ["files.zip"],
    change(at) {
      at.write("ziQ1w2e3", "the archive with one more file in it");
      at.mv("ziQ1w2e3", "files.zip");
    },
    ends: { "files.zip": "files-2.zip" },
    sent: ["files-2.zip"],
  },
  {
    what: "an editor's save, which renames the old file away",
    done: ["notes.txt"],
    change(at) {
      at.mv("notes.txt", "notes.txt~");
      at.write("notes.txt", "notes, and one line more");
      rmSync(at.path("notes.txt~"));
    },
    ends: { "notes.txt": "notes-2.txt" },
    sent: ["notes-2.txt"],
  },
  {
    what: "directories of completed files that swap names",
    done: ["d/a", "d/b", "e/a"],
    change: (at) => swap(at, "d", "e"),
    ends: { "e/a": "d/a", "e/b": "d/b", "d/a": "e/a" },
  },
  {
    what: "two live files that swap names",
    live: ["x.bin", "y.bin"],
    change: (at) => swap(at, "x.bin", "y.bin"),
    ends: { "x.bin": "y.bin", "y.bin": "x.bin" },
    sent: ["x.bin", "y.bin"],
  },
  {
    what: "two live files without a key that swap names",
    small: ["x.bin", "y.bin"],
    change: (at) => swap(at, "x.bin", "y.bin"),
    ends: { "x.bin": "x.bin", "y.bin": "y.bin" },
    sent: ["x.bin", "y.bin"],
  },
  {
    what: "three live names in a circle",
    live: ["x.bin", "y.bin"],
    small: ["z.bin"],
    change: (at) => circle(at, ["x.bin", "y.bin", "z.bin"]),
    ends: { "y.bin": "x.bin", "z.bin": "y.bin", "x.bin": "x-2.bin" },
    sent: ["x.bin", "y.bin", "x-2.bin"],
  },
  {
    what: "a live file and a completed one that swap names",
    done: ["a.bin"],
    live: ["x.bin"],
    change: (at) => swap(at, "a.bin", "x.bin"),
    ends: { "a.bin": "x.bin", "x.bin": "a.bin" },
    sent: ["x.bin"],
  },
  {
    what: "a live file renamed over a completed one",
    done: ["a.bin"],
    live: ["x.bin"],
    change: (at) => at.mv("x.bin", "a.bin"),
    ends: { "a.bin": "x.bin" },
    sent: ["x.bin"],
  },
  {
    what: "a completed file renamed over a live one",
    done: ["a.bin"],
    live: ["x.bin"],
    change: (at) => at.mv("a.bin", "x.bin"),
    ends: { "x.bin": "a.bin" },
    superseded: 1,
  },
  {
    what: "a live file renamed over a live one",
    live: ["x.bin", "y.bin"],
    change: (at) => at.mv("x.bin", "y.bin"),
    ends: { "y.bin": "x.bin" },
    sent: ["x.bin"],
    superseded: 1,
  },
  {
    what: "a live file renamed away, and another file in its place",
    live: ["x.log"],
    change(at) {
      at.mv("x.log", "x.log.1");
      at.write("x.log", "the next day");
    },
    ends: { "x.log.1": "x.log", "x.log": "x-2.log" },
    sent: ["x.log", "x-2.log"],
  },
  {
    what: "a directory with live files and completed ones renamed",
    done: ["d/a"],
    live: ["d/x"],
    small: ["d/y"],
    change: (at) => at.mv("d", "e"),
    ends: { "e/a": "d/a", "e/x": "d/x", "e/y": "e/y" },
    sent: ["d/x", "e/y"],
  },
];

describe.each(["while the worker runs", "while the worker is down"])("renamed %s", (when) => {
  let rig: Rig;
  const held = new AsyncDisposableStack();
  let before = 0;

  const name = (at: number, file: string): string => `${String(at).padStart(2, "0")}/${file}`;
  const path = (at: number, file: string): string => join(rig.root, name(at, file));

  beforeAll(async () => {
    rig = await startRig();
    const worker = await rig.start();
    for (const [at, { done = [], live = [], small = [] }] of CASES.entries()) {
      for (const file of done) writeWhole(rig, name(at, file), randomBytes(500));
      for (const [size, files] of [
        [PART + 100, live],
        [300, small],
      ] as const) {
        for (const file of files) {
          mkdirSync(dirname(path(at, file)), { recursive: true });
          await held.use(await GrowingFile.open(path(at, file))).append(size);
        }
      }
    }
    for (const [at, { done = [], live = [], small = [] }] of CASES.entries()) {
      for (const file of done) await rig.completed(path(at, file));
      for (const file of live) await rig.live(path(at, file), ({ next_part: next }) => next === "2");
      for (const file of small) await rig.live(path(at, file), ({ file_size: size }) => size === "300");
    }
    before = rig.requests.length;
    if (when === "while the worker is down") await worker.kill();
    for (const [at, { change }] of CASES.entries()) {
      change({
        mv: (from, to) => renameSync(path(at, from), path(at, to)),
        write: (file, text) => writeFileSync(path(at, file), text),
        path: (file) => path(at, file),
      });
    }
    if (when === "while the worker is down") await rig.start();
    // Every live file is found under its new name while it is held open still.
    for (const [at, { live = [], small = [], ends, superseded = 0 }] of CASES.entries()) {
      const left = live.length + small.length - superseded;
      await rig.until(`the live files of case ${at} are followed`, async () => {
        const streams = await Promise.all(Object.keys(ends).map((file) => rig.records.live(path(at, file))));
        return streams.filter((one) => one !== undefined).length >= left;
      });
    }
    await held[Symbol.asyncDispose]();
  }, 120_000);

  afterAll(async () => {
    await held[Symbol.asyncDispose]();
    await rig?.[Symbol.asyncDispose]();
  });

  it.each(CASES.map((one, at) => ({ ...one, at })))(
    "D2a: $what",
    async ({ at, ends, sent = [], superseded = 0 }) => {
      for (const [file, key] of Object.entries(ends)) {
        await rig.until(`${name(at, file)} is known as the object ${key}`, async () => {
          const entry = await rig.records.done(path(at, file));
          return entry?.["s3_key"] === name(at, key);
        });
        const { size, same } = await compare(name(at, key), path(at, file));
        expect({ file, size, same }).toEqual({ file, size, same: true });
      }
      const streams = (await rig.records.streams()).filter(({ original_path }) =>
        original_path.startsWith(path(at, "")),
      );
      const failed = streams.filter(({ status }) => status.startsWith("failed"));
      expect(failed.map(({ status, superseded_by: by }) => [status, by !== undefined])).toEqual(
        Array.from({ length: superseded }, () => ["failed_file_replaced", true]),
      );
      expect(
        streams.filter(
          ({ status }) => status !== "completed" && !failed.some((one) => one.status === status),
        ),
      ).toEqual([]);
      expect(await rig.bucket.openUploads(name(at, ""))).toHaveLength(superseded);
      const mine = rig.requests
        .slice(before)
        .filter((one) => one.key?.startsWith(name(at, "")) && one.status === 200);
      const objects = mine.filter(
        ({ operation, key }) =>
          (operation === "PutObject" || operation === "CompleteMultipartUpload") &&
          !key?.endsWith(".metadata.json"),
      );
      expect(objects.map(({ key }) => key ?? "").sort()).toEqual(sent.map((key) => name(at, key)).sort());
      const parts = rig.requests.filter(
        (one) => one.key?.startsWith(name(at, "")) && one.partNumber !== null,
      );
      const once = new Set(parts.map(({ uploadId, partNumber }) => `${uploadId} ${partNumber}`));
      expect(parts).toHaveLength(once.size);
    },
  );

  async function compare(key: string, file: string): Promise<{ size: number; same: boolean }> {
    const local = readFileSync(file);
    const pieces: Buffer[] = [];
    for await (const piece of rig.bucket.read(key, local.length)) pieces.push(piece);
    return { size: local.length, same: Buffer.concat(pieces).equals(local) };
  }
});
