/** The checksums in a worker's report of a deep verify. Read by hand, because a schema library is 30 KiB in every browser. */
export interface Proof {
  object: string;
  /** Absent: the file could not be read. */
  file?: string;
}

/** Undefined if the report has none. */
export function proofOf(report: unknown): Proof | undefined {
  const sums = fieldOf(report, "sha256");
  const [object, file] = [fieldOf(sums, "object"), fieldOf(sums, "file")];
  if (typeof object !== "string") return undefined;
  return typeof file === "string" ? { object, file } : { object };
}

function fieldOf(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  return Object.entries(value).find(([field]) => field === name)?.[1];
}
