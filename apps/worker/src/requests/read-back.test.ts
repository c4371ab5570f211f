import { createHash, randomBytes } from "node:crypto";
import { crc32 } from "node:zlib";
import {
  crc32ToBase64,
  FileError,
  StoreError,
  type FileFacts,
  type OpenFile,
  type StoreTrouble,
} from "@sluice/core";
import { describe, expect, it } from "vitest";
import { nativeDigests } from "../files/native-digests.ts";
import { readBack, type FileBeside, type ReadBackDeps, type SealedFile } from "./read-back.ts";
import type { Expected } from "./verify-report.ts";

const MIB = 1024 * 1024;
const BYTES = randomBytes(40 * MIB);
const FACTS: FileFacts = { size: BYTES.length, inode: "11", device: "1", mtimeNs: "18", ctimeNs: "19" };
const SEALED: SealedFile = { path: "/rec/a.mkv", facts: { inode: "11", size: BYTES.length, mtimeNs: "18" } };
const EXPECTED: Expected = {
  bucket: "b",
  key: "k",
  size: BYTES.length,
  crc32: crc32ToBase64(crc32(BYTES)),
  parts: [],
};

interface World {
  object: Buffer;
  /** Undefined: it is not there. */
  file: { bytes: Buffer; facts: FileFacts; failsAt?: number } | undefined;
  /** Reads that break off in the middle, before one does not. */
  breaks: { times: number; trouble: StoreTrouble };
}

function world(over: Partial<World> = {}) {
  const { object, file, breaks }: World = {
    object: BYTES,
    file: { bytes: BYTES, facts: FACTS },
    breaks: { times: 0, trouble: "unreachable" },
    ...over,
  };
  const seen = { reads: 0, slept: 0, closed: 0 };
  let left = breaks.times;
  const open: OpenFile = {
    openedFacts: FACTS,
    facts: () => Promise.resolve(file?.facts ?? FACTS),
    read(into, offset) {
      if (file?.failsAt !== undefined && offset + into.length > file.failsAt)
        throw new FileError("EIO", "input/output error");
      return Promise.resolve(file?.bytes.copy(into, 0, offset) ?? 0);
    },
    [Symbol.asyncDispose]: () => Promise.resolve(void (seen.closed += 1)),
  };
  const deps: ReadBackDeps = {
    store: {
      async *read(_, range = { first: 0, last: object.length - 1 }) {
        seen.reads += 1;
        const middle = Math.ceil((range.first + range.last) / 2);
        yield object.subarray(range.first, middle);
        if (left > 0) {
          left -= 1;
          throw new StoreError({ trouble: breaks.trouble, code: "ConnectionLost", message: "cut" });
        }
        yield object.subarray(middle, range.last + 1);
      },
    },
    files: { open: () => Promise.resolve(file ? { kind: "file", file: open } : { kind: "missing" }) },
    digests: nativeDigests,
    clock: { wallMs: Date.now, monotonicMs: () => 0, sleep: () => Promise.resolve(void (seen.slept += 1)) },
    random: () => 0,
    signal: new AbortController().signal,
  };
  return { deps, seen };
}

async function results(over: Partial<World> = {}, sealed: Parameters<typeof readBack>[1] = SEALED) {
  const { deps, seen } = world(over);
  const { checks, sha256, file: beside } = await readBack(EXPECTED, sealed, deps);
  return { ...Object.fromEntries(checks.map(({ name, ok }) => [name, ok])), seen, checks, sha256, beside };
}

function sha256(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function flipped(at: number): Buffer {
  const bytes = Buffer.from(BYTES);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  return bytes;
}

describe("an object that is read back", () => {
  it("is compared by CRC32 and byte by byte with its file, range by range", async () => {
    const { seen, ...found } = await results();
    const sum = sha256(BYTES);
    expect(found).toMatchObject({ content: true, file: true, sha256: { object: sum, file: sum } });
    expect(seen).toEqual({ reads: 2, slept: 0, closed: 1 });
  });

  it("with one wrong bit differs from its CRC32 and, at that byte, from its file", async () => {
    const object = flipped(3 * MIB + 1);
    const { checks, sha256: sums } = await results({ object });
    expect(sums).toEqual({ object: sha256(object), file: sha256(BYTES) });
    expect(checks.map(({ ok }) => ok)).toEqual([false, false]);
    expect(checks[1]?.detail).toBe(`differs from the object at byte ${3 * MIB + 1}`);
  });

  it("whose file differs is itself still right", async () => {
    expect(await results({ file: { bytes: flipped(5), facts: FACTS } })).toMatchObject({
      content: true,
      file: false,
    });
  });

  it("counts no byte twice when a read breaks off", async () => {
    const found = await results({ breaks: { times: 3, trouble: "throttled" } });
    const sum = sha256(BYTES);
    expect(found).toMatchObject({ content: true, file: true, seen: { reads: 5, slept: 3 } });
    expect(found.sha256).toEqual({ object: sum, file: sum });
  });

  it("whose file changes while it is read is not called the same", async () => {
    const { deps } = world();
    let looks = 0;
    const files: ReadBackDeps["files"] = {
      async open(path) {
        const opened = await deps.files.open(path);
        if (opened.kind !== "file") return opened;
        const facts = () => Promise.resolve(looks++ === 0 ? FACTS : { ...FACTS, size: FACTS.size + 1 });
        return { kind: "file", file: { ...opened.file, facts } };
      },
    };
    const { checks, file } = await readBack(EXPECTED, SEALED, { ...deps, files });
    expect([file, checks.map(({ ok }) => ok)]).toEqual(["changed", [true, null]]);
  });

  it.each([
    ["elsewhere", "unread"],
    ["unknown", "unknown"],
  ] as const)("is compared without a file that is %s", async (sealed, is) => {
    expect(await results({}, sealed)).toMatchObject({ content: true, file: null, beside: is });
  });

  it("that cannot be read at all is an error, not a difference", async () => {
    await expect(results({ breaks: { times: 9, trouble: "unreachable" } })).rejects.toThrow("cut");
    await expect(results({ breaks: { times: 1, trouble: "denied" } })).rejects.toThrow("cut");
  });

  it.each<[string, Partial<World>, string, FileBeside]>([
    ["is gone", { file: undefined }, "the file no longer exists", "gone"],
    [
      "has grown",
      { file: { bytes: BYTES, facts: { ...FACTS, size: 1 } } },
      "the file has changed since it was sealed",
      "changed",
    ],
    [
      "is another one",
      { file: { bytes: BYTES, facts: { ...FACTS, inode: "12" } } },
      "the file has changed since it was sealed",
      "changed",
    ],
    [
      "was touched",
      { file: { bytes: BYTES, facts: { ...FACTS, mtimeNs: "99" } } },
      "the file has changed since it was sealed",
      "changed",
    ],
    [
      "fails half way",
      { file: { bytes: BYTES, facts: FACTS, failsAt: 20 * MIB } },
      "the file cannot be read: input/output error",
      "unread",
    ],
  ])("is compared by CRC32 alone where the file %s", async (_, over, why, is) => {
    const { checks, sha256: sums, beside } = await results(over);
    expect(beside).toBe(is);
    expect(checks).toMatchObject([{ ok: true }, { ok: null, detail: why }]);
    expect(sums).toEqual({ object: sha256(BYTES) });
  });

  it("without a recorded CRC32 says what it has, and does not call it right", async () => {
    const { deps } = world();
    const { crc32: _, ...unknown } = EXPECTED;
    const { checks } = await readBack(unknown, "elsewhere", deps);
    expect(checks[0]).toEqual({
      name: "content",
      ok: null,
      detail: `read back, its CRC32 is ${EXPECTED.crc32}; none was recorded`,
    });
  });
});
