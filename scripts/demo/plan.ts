/**
 * The recordings of the demo, planned beforehand: names, lengths, rates and how each one signals that it is complete.
 */

export const DEMO = {
  recordings: 12,
  atOnce: 3,
  /** Together they stay below `recordings × maxSeconds × maxBytesPerSecond`: under 1 GiB. */
  maxSeconds: 75,
  maxBytesPerSecond: 1024 * 1024,
} as const;

/** `idle`: it stops growing. `rename`: written as `<name>.part`. `marker`: `<name>.done` appears next to it. */
type Ending = "idle" | "rename" | "marker";

export interface Recording {
  readonly name: string;
  readonly seconds: number;
  readonly bytesPerSecond: number;
  readonly ending: Ending;
}

const SOURCES = ["studio-1", "gate-north", "telescope", "stage-left", "lab-cam", "harbour"];
/** The first few are short, so that something completes while the user is watching. */
const SECONDS = [20, 40, 75, 30, 60, 45];
const ENDINGS: readonly Ending[] = ["marker", "rename", "idle"];

/** @param extensions what the writer can write, for example `ts`; names are unique over runs by their start time */
export function recordingPlan(start: Date, extensions: readonly string[]): Recording[] {
  const stamp = start.toISOString().slice(0, 19).replaceAll(/[-:]/g, "").replace("T", "-");
  return Array.from({ length: DEMO.recordings }, (_, index) => {
    const take = String(index + 1).padStart(2, "0");
    const source = SOURCES[index % SOURCES.length];
    const extension = extensions[index % extensions.length];
    return {
      name: `${source}-${stamp}-${take}.${extension}`,
      seconds: SECONDS[index % SECONDS.length] ?? DEMO.maxSeconds,
      bytesPerSecond: index % 2 === 0 ? DEMO.maxBytesPerSecond : DEMO.maxBytesPerSecond / 2,
      ending: ENDINGS[index % ENDINGS.length] ?? "idle",
    };
  });
}
