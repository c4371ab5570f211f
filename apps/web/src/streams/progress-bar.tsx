/**
 * How much of a file is in S3: acknowledged, in flight, and the rest that is only on disk. Never shows more than is
 * known.
 */
import { exactBytes, formatBytes } from "@sluice/control/units";

export function ProgressBar({
  sent,
  inFlight = 0,
  size,
  label,
  className = "",
}: {
  /** Bytes. */
  sent: number;
  inFlight?: number;
  size: number;
  label: string;
  className?: string;
}) {
  const share = (bytes: number) => (size > 0 ? Math.min(100, (bytes / size) * 100) : 0);
  const percent = Math.floor(share(sent));
  return (
    <div
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent}
      aria-valuetext={`${percent} %: ${formatBytes(sent)} of ${formatBytes(size)} acknowledged`}
      title={`${exactBytes(sent)} of ${exactBytes(size)} acknowledged`}
      className={`relative h-1.5 overflow-hidden rounded-full bg-part-disk/45 ${className}`}
    >
      <span
        className="absolute inset-y-0 left-0 bg-part-flight"
        style={{ width: `${share(sent + inFlight)}%` }}
      />
      <span className="absolute inset-y-0 left-0 bg-part-sent" style={{ width: `${share(sent)}%` }} />
    </div>
  );
}
