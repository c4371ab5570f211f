import { FileError, crc32ToBase64 } from "@sluice/core";
import { ManualClock, MemoryDisk, MemoryFileSource, sampleBytes } from "@sluice/core/testing";
import { afterEach, describe, expect, it } from "vitest";
import { nativeDigests } from "../files/native-digests.ts";
import { Rereader } from "./rereader.ts";

const MIB = 1024 * 1024;
const RATE = 4 * MIB;

const stops: AbortController[] = [];

afterEach(() => {
  for (const stop of stops.splice(0)) stop.abort();
});

function setUp() {
  const clock = new ManualClock();
  const disk = new MemoryDisk({ clock });
  const files = new MemoryFileSource(disk);
  const warned: object[] = [];
  const log = { info: () => undefined, warn: (fields: object) => void warned.push(fields) };
  const rereader = new Rereader({ files, digests: nativeDigests, clock, bytesPerSecond: RATE, log });
  const decided: [path: string, same: boolean][] = [];
  const stop = new AbortController();
  stops.push(stop);
  const ended = rereader.run(stop.signal);
  return {
    clock,
    disk,
    files,
    rereader,
    decided,
    warned,
    async end() {
      stop.abort();
      await ended;
    },
    file(path: string, bytes = 10): string {
      disk.append(path, sampleBytes(bytes, 1));
      return path;
    },
    /** As seen now; `crc32`: of the bytes as they are now, unless given. */
    add(path: string, { urgent = false, crc32 = crc32ToBase64(nativeDigests.crc32(disk.bytes(path))) } = {}) {
      const facts = disk.facts(path);
      const note = (same: boolean): Promise<void> => Promise.resolve(void decided.push([path, same]));
      rereader.add({ path, facts, crc32, urgent, decided: note });
    },
  };
}

describe("D3b: completed files whose times moved", () => {
  it("D3b: are compared by their bytes, and counted until then", async () => {
    const { add, file, clock, decided, rereader } = setUp();
    add(file("/in/same"));
    add(file("/in/other"), { crc32: "AAAAAA==" });
    expect(rereader.checking).toBe(2);
    await clock.advance(1);
    expect(decided).toEqual([
      ["/in/same", true],
      ["/in/other", false],
    ]);
    expect(rereader.checking).toBe(0);
  });

  it("D3b: are read one at a time, those that were written before those whose ctime alone moved", async () => {
    const { add, file, clock, decided } = setUp();
    for (const name of ["a", "b", "c"]) add(file(`/in/${name}`));
    add(file("/in/written"), { urgent: true });
    await clock.advance(1);
    expect(decided.map(([path]) => path)).toEqual(["/in/written", "/in/a", "/in/b", "/in/c"]);
  });

  it("D3b: are read no faster than the rate allows", async () => {
    const { add, file, clock, files, decided } = setUp();
    add(file("/in/a", 20 * MIB));
    add(file("/in/b", 20 * MIB));
    await clock.advance(4_999);
    expect(files.bytesRead).toBeLessThanOrEqual(5 * RATE);
    expect(decided).toEqual([["/in/a", true]]);
    await clock.advance(4_999);
    expect(files.bytesRead).toBe(40 * MIB);
    expect(decided).toHaveLength(2);
  });

  it("D3b: say nothing when they move on while they are read, and are not read when they are forgotten", async () => {
    const { add, file, clock, disk, decided, rereader } = setUp();
    const path = file("/in/a", 20 * MIB);
    add(path);
    add(file("/in/b"));
    await clock.advance(1_500);
    rereader.forget("/in/b");
    disk.append(path, sampleBytes(1, 2));
    await clock.advance(10_000);
    expect(decided).toEqual([]);
    expect(rereader.checking).toBe(0);
  });

  it("D3b: are read as they were seen last", async () => {
    const { add, file, clock, disk, decided } = setUp();
    add(file("/in/first", 20 * MIB));
    const path = file("/in/a");
    add(path, { crc32: "AAAAAA==" });
    disk.append(path, sampleBytes(5, 2));
    add(path);
    await clock.advance(10_000);
    expect(decided).toEqual([
      ["/in/first", true],
      ["/in/a", true],
    ]);
  });

  it("D3b: that a volume does not give just now hold up no other", async () => {
    const { add, file, clock, files, decided, warned } = setUp();
    add(file("/in/a"));
    add(file("/in/b"));
    files.failReads(1);
    await clock.advance(1);
    expect(decided).toEqual([["/in/b", true]]);
    expect(warned).toMatchObject([{ path: "/in/a", err: expect.any(FileError) }]);
  });

  it("D3b: are not decided once the worker stops", async () => {
    const { add, file, clock, decided, end } = setUp();
    add(file("/in/a", 20 * MIB));
    await clock.advance(1_000);
    await end();
    await clock.advance(60_000);
    expect(decided).toEqual([]);
  });
});
