/** The chart as the server sends it: minutes, the lag of each source in them, and what happened meanwhile. */

/** The sum of every source that is not drawn separately; no source has this name. */
export const OTHER_SOURCES = "*";

export interface ChartPoint {
  /** Start of the minute, ms since 1970. */
  at: number;
  bytes_in: number;
  bytes_sent: number;
  /** Of each of the chart's sources, at the end of the minute. */
  lag: number[];
}

export interface ChartMark {
  /**
   * `started`: a worker began. `silent`: no worker of the source reported. `blocked`: a worker reported itself blocked.
   */
  kind: "started" | "silent" | "blocked";
  at: number;
  /** The end of what lasts; absent if it still does. */
  until?: number;
  /** A source if `silent`, otherwise a worker. */
  subject: string;
}

export interface Chart {
  /** Names of sources, most lag first; "" if a worker of an earlier version did not say. */
  sources: string[];
  points: ChartPoint[];
  marks: ChartMark[];
}

/** Adds what is left out of the chart's sources to its last one. */
export function lagOfSources(sources: readonly string[], lag: Readonly<Record<string, number>>): number[] {
  const known = new Set(sources);
  const others = Object.entries(lag).reduce((sum, [name, bytes]) => sum + (known.has(name) ? 0 : bytes), 0);
  const lagOf = (name: string) => (Object.hasOwn(lag, name) ? (lag[name] ?? 0) : 0);
  return sources.map((name) => (name === OTHER_SOURCES ? others : lagOf(name)));
}
