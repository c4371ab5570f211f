import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { isDemoRecording } from "../../apps/web/src/server/demo/recording-names.ts";
import { DEMO, recordingPlan, type Recording } from "./plan.ts";
import { record } from "./record.ts";
import { packets, writePackets } from "./transport-stream.ts";

const GIB = 1024 ** 3;

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "sluice-demo-"));
});
afterEach(() => rmSync(dir, { recursive: true }));

const writer = { name: "packets", extensions: ["ts"], write: writePackets };
const short = (ending: Recording["ending"]): Recording => ({
  name: "clip.ts",
  seconds: 0.5,
  bytesPerSecond: 100_000,
  ending,
});

it("the demo shows every ending and stays within its bounds", () => {
  const plan = recordingPlan(new Date(0), ["ts", "mp4", "mkv"]);
  expect(plan).toHaveLength(DEMO.recordings);
  expect(new Set(plan.map(({ name }) => name)).size).toBe(plan.length);
  expect(new Set(plan.map(({ ending }) => ending))).toEqual(new Set(["idle", "rename", "marker"]));
  const bytes = plan.reduce((sum, { seconds, bytesPerSecond }) => sum + seconds * bytesPerSecond, 0);
  expect(bytes).toBeLessThan(GIB);
  for (const { seconds, bytesPerSecond } of plan) {
    expect(seconds).toBeLessThanOrEqual(DEMO.maxSeconds);
    expect(bytesPerSecond).toBeLessThanOrEqual(DEMO.maxBytesPerSecond);
  }
});

it("two runs never write the same file", () => {
  const names = [new Date(0), new Date(1000)].flatMap((start) =>
    recordingPlan(start, ["ts"]).map(({ name }) => name),
  );
  expect(new Set(names).size).toBe(names.length);
});

it("the dashboard knows the demo's recordings by their names, which is all that it may delete", () => {
  const names = recordingPlan(new Date(), ["ts", "mp4", "mkv"]).map(({ name }) => name);
  expect(names.filter((name) => !isDemoRecording(name))).toEqual([]);
  const [name = ""] = names;
  for (const other of ["holiday.mp4", `my-${name}`, `${name}.part`, `${name}.done`, "studio-1.ts"])
    expect(isDemoRecording(other)).toBe(false);
});

it("a recording whose file is deleted while it is written ends without it", async () => {
  const ends = record(dir, short("rename"), writer, new AbortController().signal);
  const path = join(dir, "clip.ts.part");
  while (!existsSync(path)) await new Promise((resolve) => setTimeout(resolve, 5));
  rmSync(path);
  await ends;
  expect(readdirSync(dir)).toEqual([]);
});

it.each([
  ["idle", ["clip.ts"]],
  ["rename", ["clip.ts"]],
  ["marker", ["clip.ts", "clip.ts.done"]],
] as const)("a recording that ends by %s leaves %j", async (ending, files) => {
  await record(dir, short(ending), writer, new AbortController().signal);
  expect(readdirSync(dir).sort()).toEqual(files);
  expect(statSync(join(dir, "clip.ts")).size).toBeGreaterThanOrEqual(50_000);
});

it("a recording that is stopped stays as it is, unfinished", async () => {
  await record(dir, { ...short("rename"), seconds: 60 }, writer, AbortSignal.timeout(50));
  expect(readdirSync(dir)).toEqual(["clip.ts.part"]);
});

it("the packets carry a sync byte and a counter that goes on over writes", () => {
  const bytes = Buffer.concat([packets(10, 0), packets(10, 10)]);
  for (let index = 0; index < 20; index += 1) {
    expect(bytes[index * 188]).toBe(0x47);
    expect((bytes[index * 188 + 3] ?? 0) & 0x0f).toBe(index % 16);
  }
});
