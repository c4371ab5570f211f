/** One recording from its first byte to its end; if stopped early, it is left as a crashed recorder would leave it. */
import { existsSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Recording } from "./plan.ts";
import type { Writer } from "./writers.ts";

export async function record(
  dir: string,
  recording: Recording,
  writer: Writer,
  signal: AbortSignal,
): Promise<void> {
  const path = join(dir, recording.name);
  const growing = recording.ending === "rename" ? `${path}.part` : path;
  console.log(`recording ${recording.name} for ${recording.seconds} s`);
  await writer.write(growing, recording, signal);
  if (signal.aborted) return;
  if (!existsSync(growing)) {
    console.log(`${recording.name} was deleted while it was written`);
    return;
  }
  if (recording.ending === "rename") renameSync(growing, path);
  if (recording.ending === "marker") writeFileSync(`${path}.done`, "");
  console.log(`finished ${recording.name} (${inWords[recording.ending]})`);
}

const inWords = {
  idle: "it just stops growing",
  rename: ".part dropped from its name",
  marker: "marker file written",
} as const;
