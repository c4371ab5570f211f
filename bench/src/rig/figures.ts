/** Rounds, medians and ratios. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new Error("no rounds, no median");
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

/** Three digits that matter. */
export function rounded(value: number): number {
  return Number(value.toPrecision(3));
}
