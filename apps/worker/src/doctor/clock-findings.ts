/**
 * How far this machine's clock differs from the clocks of Redis and the bucket. S3 refuses requests with a wrong time.
 */
import { finding, ok, type Finding } from "./finding.ts";

const NOTICED_MS = 2_000;
/** Half of the difference that S3 tolerates. */
const DANGEROUS_MS = 7.5 * 60_000;

/** `skewMs`: their clock minus ours. */
export function clockFinding(whose: "redis" | "bucket", skewMs: number): Finding {
  const name = whose === "redis" ? "Redis" : "the store";
  const seconds = (Math.abs(skewMs) / 1_000).toFixed(1);
  if (Math.abs(skewMs) < NOTICED_MS)
    return ok(`clock.${whose}`, `This clock and that of ${name} agree within 2 s.`);
  const seen = `This clock is ${seconds} s ${skewMs > 0 ? "behind" : "ahead of"} that of ${name}.`;
  const severity = whose === "bucket" && Math.abs(skewMs) >= DANGEROUS_MS ? "error" : "warning";
  return finding(
    `clock.${whose}_differs`,
    severity,
    seen,
    "Synchronize the clocks (NTP); S3 refuses requests signed 15 min off.",
  );
}
