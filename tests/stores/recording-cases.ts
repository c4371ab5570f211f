/** Files that grow, crash and change their header come out as objects equal to them, and leave nothing else behind. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { GrowingFile } from "../../apps/worker/test/rig/growing-file.ts";
import {
  PART,
  rewriteHeader,
  startRecordingRig,
  writeWhole,
  type RecordingRig,
} from "./rig/recording-rig.ts";
import type { StoreServer } from "./servers/store-server.ts";

export function recordingCases(running: () => StoreServer): void {
  let rig: RecordingRig;
  beforeAll(async () => {
    rig = await startRecordingRig(running());
  });
  afterAll(async () => {
    await rig[Symbol.asyncDispose]();
  });

  test("a growing file whose worker is killed twice is one object, and no acknowledged part was sent again", async () => {
    const path = rig.at("take.mxf");
    const file = await GrowingFile.open(path);
    const first = await rig.start();
    await file.append(2 * PART + 100_000);
    const stream = await rig.live(path, ({ next_part: next }) => next === "3");
    await first.kill();
    const second = await rig.start();
    await file.append(PART);
    await rig.live(path, ({ next_part: next }) => next === "4");
    await second.kill();
    await file.append(PART);
    await rig.start();
    await file[Symbol.asyncDispose]();
    expect((await rig.completed(path)).id).toBe(stream.id);
    expect(rig.witness.parts("take.mxf")).toEqual([1, 2, 3, 4, 5]);
    expect(await rig.isIdentical("take.mxf")).toBe(true);
  });

  test("a file smaller than a part is one request", async () => {
    writeWhole(rig.at("small.wav"), 123_456);
    await rig.completed(rig.at("small.wav"));
    expect(rig.witness.puts("small.wav")).toBe(1);
    expect(await rig.isIdentical("small.wav")).toBe(true);
  });

  test("an empty file is an empty object", async () => {
    writeWhole(rig.at("empty.log"), 0);
    await rig.completed(rig.at("empty.log"));
    expect((await rig.bucket.head("empty.log")).headers["content-length"]).toBe("0");
  });

  test("a header that is written anew at close is sent again, and only that part", async () => {
    const path = rig.at("clip.mp4");
    const file = await GrowingFile.open(path);
    await file.append(2 * PART + 1_000);
    await rig.live(path, ({ next_part: next }) => next === "3");
    rewriteHeader(path);
    await file[Symbol.asyncDispose]();
    await rig.completed(path);
    expect(rig.witness.parts("clip.mp4")).toEqual([1, 1, 2, 3]);
    expect(await rig.isIdentical("clip.mp4")).toBe(true);
  });

  test("a completed file that grows replaces its own object, from the first byte", async () => {
    const path = rig.at("small.wav");
    const before = await rig.completed(path);
    const file = await GrowingFile.open(path);
    await file.append(1_000);
    await file[Symbol.asyncDispose]();
    const after = await rig.completed(path, before.id);
    expect(after["supersedes"]).toBe(before.id);
    expect(after["s3_key"]).toBe("small.wav");
    expect(await rig.isIdentical("small.wav")).toBe(true);
  });

  test("a name with odd characters is kept", async () => {
    const name = "Aufnahme ä 日本 +%20&#'().wav";
    writeWhole(rig.at(name), 1_000);
    await rig.completed(rig.at(name));
    expect(await rig.isIdentical(name)).toBe(true);
  });

  test("nothing is left behind: no open upload, no object but data and metadata", async () => {
    const names = ["take.mxf", "small.wav", "empty.log", "clip.mp4", "Aufnahme ä 日本 +%20&#'().wav"];
    expect(await rig.bucket.openUploads()).toEqual([]);
    const keys = names.flatMap((name) => [name, `${name}.metadata.json`]);
    expect((await rig.bucket.keys()).toSorted()).toEqual(keys.toSorted());
  });
}
