/**
 * The performance limits of the product, as data: what is measured, its maximum (or minimum), and what it is compared
 * with.
 */

/** Name of a row → figures of its rounds, in the unit the row names. */
export type Rounds = Readonly<Record<string, readonly number[]>>;

export interface Bar {
  name: string;
  /** Row measured. */
  of: string;
  /** Row it is divided by; absent: the figure itself is held against the bar. */
  against?: string;
  /** The figure must not be above it, or with `least`, not below. */
  limit: number;
  least?: true;
  unit: string;
}

export const BARS: readonly Bar[] = [
  {
    name: "Upload of 2 GiB, CPU",
    of: "sluice upload cpu",
    against: "bare put cpu",
    limit: 1.25,
    unit: "× bare loop",
  },
  {
    name: "Seal's verify read, CPU",
    of: "sluice seal cpu",
    against: "bare read cpu",
    limit: 1.25,
    unit: "× bare loop",
  },
  {
    name: "Seal's verify read, CPU a GiB",
    of: "sluice seal cpu per GiB",
    limit: 0.33,
    unit: "s",
  },
  { name: "Whole job, CPU", of: "sluice job cpu", against: "bare put cpu", limit: 1.7, unit: "× bare loop" },
  {
    name: "Whole job, CPU beside lib-storage",
    of: "sluice job cpu",
    against: "lib-storage cpu",
    limit: 0.25,
    unit: "× lib-storage",
  },
  {
    name: "Whole job, CPU beside rclone",
    of: "sluice job cpu",
    against: "rclone cpu",
    limit: 0.15,
    unit: "× rclone",
  },
  {
    name: "Whole job, CPU beside aws-cli",
    of: "sluice job cpu",
    against: "aws-cli cpu",
    limit: 0.25,
    unit: "× aws-cli",
  },
  {
    name: "Whole job, wall",
    of: "sluice job wall",
    against: "bare put × 1.5 + read wall",
    limit: 1,
    unit: "× (1.5 × bare + verify)",
  },
  {
    name: "Last byte to object, beyond the verify read",
    of: "visible beyond read",
    limit: 1,
    unit: "s",
  },
  { name: "Restart, first new part", of: "restart first part", limit: 5, unit: "s" },
  { name: "Restart, all reconciled", of: "restart reconciled", limit: 60, unit: "s" },
  { name: "Restart, Redis round trips per 500", of: "restart round trips", limit: 3, unit: "" },
  { name: "One file at full speed, event loop delay p99", of: "sluice loop delay", limit: 50, unit: "ms" },
  { name: "Growing files, resident memory", of: "growing resident", limit: 300, unit: "MiB" },
  { name: "Growing files, event loop delay p99", of: "growing loop delay", limit: 50, unit: "ms" },
  {
    name: "500 files, 10 writes of 4 KiB a second each",
    of: "500 files, 10 writes a second: core",
    limit: 12,
    unit: "% of a core",
  },
  {
    name: "100 files, 50 writes of 4 KiB a second each",
    of: "100 files, 50 writes a second: core",
    limit: 8,
    unit: "% of a core",
  },
  {
    name: "500 files, 2 writes of 64 KiB a second each",
    of: "500 files, 2 writes a second: core",
    limit: 15,
    unit: "% of a core",
  },
  {
    name: "2,000 files, a write of 16 KiB a second each",
    of: "2000 files, 1 writes a second: core",
    limit: 20,
    unit: "% of a core",
  },
  {
    name: "2,000 files, a write a second each, resident memory",
    of: "2000 files, 1 writes a second: resident",
    limit: 250,
    unit: "MiB",
  },
  {
    name: "500 files, 10 writes a second each, event loop delay p99",
    of: "500 files, 10 writes a second: loop delay",
    limit: 20,
    unit: "ms",
  },
  {
    name: "Small files, rate",
    of: "small files rate",
    against: "rclone small files rate",
    limit: 0.6,
    least: true,
    unit: "× rclone",
  },
  { name: "Black hole, memory gained", of: "black hole resident gained", limit: 32, unit: "MiB" },
  { name: "Black hole, descriptors gained", of: "black hole descriptors gained", limit: 8, unit: "" },
  { name: "Black hole, work goes on after", of: "black hole recovered", limit: 60, unit: "s" },
  { name: "Small files, CPU a file", of: "small files cpu per file", limit: 1.1, unit: "ms" },
  { name: "Small files, requests a file", of: "small files requests", limit: 2, unit: "" },
  { name: "Dashboard, first page, cold", of: "dashboard first page cold", limit: 300, unit: "ms" },
  { name: "Dashboard, first page, warm", of: "dashboard first page warm", limit: 300, unit: "ms" },
  { name: "Dashboard, page with the list in it", of: "dashboard page", limit: 300, unit: "ms" },
  { name: "Dashboard, rows in the document", of: "dashboard table rows", limit: 60, unit: "" },
];

export interface Judged extends Bar {
  /** Median figure, or ratio of medians. */
  value: number;
  /** At `slack` 1.5 a bar of 1.25 fails at 1.875. */
  met: boolean;
}

/** Limits whose rows were measured. */
export function judge(rounds: Rounds, slack = 1): Judged[] {
  return BARS.flatMap((bar): Judged[] => {
    const of = rounds[bar.of];
    const against = bar.against === undefined ? [1] : rounds[bar.against];
    if (!of || !against) return [];
    const value = median(of) / median(against);
    const met = bar.least ? value >= bar.limit / slack : value <= bar.limit * slack;
    return [{ ...bar, value, met }];
  });
}

/** Of an even number of rounds, the mean of the middle two. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new Error("no rounds, no median");
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}
