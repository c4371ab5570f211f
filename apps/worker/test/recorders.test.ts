import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { audit, auditRig } from "./audit.ts";
import { startRig, type Rig } from "./rig.ts";
import { record, type NOISE } from "./rig/recorder.ts";

let rig: Rig;

beforeAll(async () => {
  rig = await startRig();
  await rig.start();
});

afterAll(async () => {
  await rig?.[Symbol.asyncDispose]();
});

const PICTURE = ["-c:v", "mpeg4", "-q:v", "2"];

const FORMATS: [
  what: string,
  name: string,
  noise: keyof typeof NOISE,
  output: string[],
  sentAgain: readonly number[] | "any",
][] = [
  ["MP4, whose mdat size is written last", "take.mp4", "picture", PICTURE, [1]],
  ["WAV, whose sizes are written last", "take.wav", "sound", ["-c:a", "pcm_s16le"], [1]],
  ["Matroska, whose duration and index are written last", "take.mkv", "picture", PICTURE, [1]],
  ["MPEG-TS, which never looks back", "take.ts", "picture", PICTURE, []],
  [
    "MP4 with faststart, which shifts every byte (F2)",
    "fast.mp4",
    "picture",
    [...PICTURE, "-movflags", "+faststart"],
    "any",
  ],
];

describe("a recording that grows while it is uploaded (F1)", { concurrent: true, timeout: 180_000 }, () => {
  it.each(FORMATS)("as %s, is identical in S3", async (_, name, noise, output, sentAgain) => {
    const path = join(rig.root, name);
    const recorder = record(noise, output, path);
    // The header is in S3 before it is written for good.
    const stream = await rig.live(path, ({ next_part: next }) => Number(next) > 2);
    await recorder.finish();
    const completed = await rig.completed(path);
    expect(completed.id).toBe(stream.id);
    if (sentAgain.length > 0) expect(completed["verify_result"]).toMatch(/sent again/);
    await audit(rig, [{ path, key: name, sentAgain }]);
  });
});

describe("in the end", () => {
  it("nothing is left behind", async () => {
    await expect(auditRig(rig)).resolves.toBeUndefined();
  });
});
