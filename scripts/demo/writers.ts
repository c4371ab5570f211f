/** How recordings get their bytes: real video from ffmpeg where it is installed, otherwise a plausible transport stream. */
import { execFile, spawn } from "node:child_process";
import { promisify } from "node:util";
import type { Recording } from "./plan.ts";
import { writePackets } from "./transport-stream.ts";

export interface Writer {
  readonly name: string;
  /** The kinds of file it writes. */
  readonly extensions: readonly string[];
  /** Resolves when the recording is over or `signal` asks to stop; rejects when it cannot be written. */
  write(path: string, recording: Recording, signal: AbortSignal): Promise<void>;
}

const FORMATS: Readonly<Record<string, string>> = { ts: "mpegts", mp4: "mp4", mkv: "matroska" };
const BITS_PER_BYTE = 8;

const ffmpegWriter: Writer = {
  name: "ffmpeg",
  // MP4 and Matroska rewrite their header when they are closed, which the seal has to notice.
  extensions: ["ts", "mp4", "mkv"],
  write: (path, recording, signal) =>
    new Promise((resolve, reject) => {
      const child = spawn("ffmpeg", ffmpegArgs(path, recording), { stdio: ["ignore", "ignore", "inherit"] });
      const stop = () => child.kill("SIGKILL");
      signal.addEventListener("abort", stop, { once: true });
      child.once("error", reject);
      child.once("exit", (code) => {
        signal.removeEventListener("abort", stop);
        if (code === 0 || signal.aborted) resolve();
        else reject(new Error(`ffmpeg ended with exit code ${code} while writing ${path}`));
      });
    }),
};

const packetWriter: Writer = {
  name: "the demo itself (ffmpeg is not installed)",
  extensions: ["ts"],
  write: writePackets,
};

export async function chooseWriter(): Promise<Writer> {
  try {
    await promisify(execFile)("ffmpeg", ["-version"]);
    return ffmpegWriter;
  } catch {
    return packetWriter;
  }
}

/** A test picture in real time at a constant rate; a small picture keeps the encoder cheap, noise fills the rate. */
function ffmpegArgs(path: string, { name, seconds, bytesPerSecond }: Recording): string[] {
  const extension = name.slice(name.lastIndexOf(".") + 1);
  const bitRate = String(bytesPerSecond * BITS_PER_BYTE);
  return [
    ["-hide_banner", "-loglevel", "error", "-nostdin", "-y"],
    ["-re", "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=25,noise=alls=100:allf=t+u"],
    ["-t", String(seconds), "-threads", "1", "-c:v", "mpeg2video", "-g", "1", "-pix_fmt", "yuv420p"],
    ["-b:v", bitRate, "-minrate", bitRate, "-maxrate", bitRate, "-bufsize", bitRate, "-qmin", "1"],
    ["-flush_packets", "1", "-f", FORMATS[extension] ?? "mpegts", path],
  ].flat();
}
