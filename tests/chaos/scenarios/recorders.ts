/** Files as a real recorder writes them, header rewritten at close and all: ffmpeg's containers, each at a growing pace. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Rig } from "../rig/rig.ts";
import type { World } from "../rig/world.ts";
import type { Scenario, Verdict } from "../scenario.ts";

const SECONDS = 8;
/** Noise does not compress: about 1.5 MB/s of video, and 0.6 MB/s of sound in PCM. */
const VIDEO = `testsrc2=size=640x360:rate=25:duration=${SECONDS},noise=alls=60:allf=t`;
const SOUND = `anoisesrc=sample_rate=96000:duration=${SECONDS * 3}`;
const MPEG4 = ["-c:v", "mpeg4", "-q:v", "2"];
const PCM = ["-ac", "2", "-c:a", "pcm_s24le"];

interface Format {
  name: string;
  file: string;
  input: string;
  args: readonly string[];
}

const FORMATS: readonly Format[] = [
  { name: "mp4", file: "a.mp4", input: VIDEO, args: MPEG4 },
  { name: "mp4 faststart", file: "b.mp4", input: VIDEO, args: [...MPEG4, "-movflags", "+faststart"] },
  {
    name: "mp4 fragmented",
    file: "c.mp4",
    input: VIDEO,
    args: [...MPEG4, "-movflags", "+frag_keyframe+empty_moov"],
  },
  { name: "mov", file: "d.mov", input: VIDEO, args: MPEG4 },
  { name: "mkv", file: "e.mkv", input: VIDEO, args: MPEG4 },
  { name: "avi", file: "f.avi", input: VIDEO, args: MPEG4 },
  { name: "flv", file: "g.flv", input: VIDEO, args: ["-c:v", "flv1", "-q:v", "2"] },
  { name: "wav", file: "h.wav", input: SOUND, args: PCM },
  { name: "w64", file: "i.w64", input: SOUND, args: PCM },
  { name: "flac", file: "j.flac", input: SOUND, args: ["-ac", "2", "-c:a", "flac"] },
  { name: "caf", file: "k.caf", input: SOUND, args: PCM },
  { name: "ogg", file: "l.ogg", input: SOUND, args: ["-ac", "2", "-c:a", "flac"] },
  { name: "ts", file: "m.ts", input: VIDEO, args: ["-c:v", "mpeg2video", "-q:v", "2"] },
];

export const recorders: Scenario = {
  name: "recorders",
  claim:
    "13 formats by real ffmpeg, killed once in the middle: each object is the file as ffmpeg left it (P1, F1, F2)",
  pace: "works",
  rounds: () => [{ name: FORMATS.map(({ name }) => name).join(", "), run: record }],
};

async function record(rig: Rig): Promise<Verdict> {
  await using world = await rig.world({ env: { SLUICE_IDLE_TIMEOUT: "2s" } });
  const worker = await world.start();
  const recording = Promise.all(FORMATS.map((format) => ffmpeg(world, format)));
  await world.until("half of the formats have a part in S3", () => {
    const keys = new Set(world.proxy.acknowledged("UploadPart").map(({ key }) => key));
    return keys.size >= FORMATS.length / 2;
  });
  await world.kill(worker);
  await world.start();
  await recording;
  const paths = FORMATS.map(({ file }) => world.path(file));
  await world.settled(paths);
  const { problems, figures } = await world.audit({
    files: paths.map((path) => ({ path, key: path.slice(world.root.length + 1) })),
  });
  return { problems, figures: { ...figures, kills: world.kills, formats: FORMATS.length } };
}

async function ffmpeg(world: World, { file, input, args }: Format): Promise<void> {
  const child = spawn(
    "ffmpeg",
    [
      "-nostdin",
      ...Object.entries({ "-v": "error", "-readrate": input === VIDEO ? "1" : "3" }).flat(),
      ...Object.entries({ "-f": "lavfi", "-i": input }).flat(),
      ...args,
      world.path(file),
    ],
    { stdio: "inherit" },
  );
  const [code] = (await once(child, "exit")) as [number | null];
  if (code !== 0) throw new Error(`ffmpeg ended with ${code} for ${file}`);
}
