/** A real recorder: ffmpeg, fed with noise in real time, until it is told to close its file. */
import { spawn } from "node:child_process";
import { once } from "node:events";

export interface Recorder {
  /** As Ctrl-C does: ffmpeg finishes the file, rewriting its header, and ends. */
  finish(): Promise<void>;
}

export const NOISE = {
  /** About 6 MB/s of sound, which no codec makes smaller. */
  sound: ["-f", "s16le", "-ar", "192000", "-ac", "16", "-i", "/dev/urandom"],
  /** About 5 MB/s once it is coded as well as it can be. */
  picture: ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", "640x360", "-r", "25", "-i", "/dev/urandom"],
} as const;

export function record(noise: keyof typeof NOISE, output: readonly string[], path: string): Recorder {
  const args = [
    "-hide_banner",
    "-loglevel",
    "error",
    "-nostdin",
    "-y",
    "-re",
    ...NOISE[noise],
    ...output,
    path,
  ];
  const child = spawn("ffmpeg", args, { stdio: ["ignore", "ignore", "inherit"] });
  const exited = once(child, "exit");
  return {
    async finish() {
      child.kill("SIGINT");
      await exited;
    },
  };
}
