/** Sizes in IEC units, with the exact number of bytes in the title. */
import { exactBytes, formatBytes, formatRate } from "@sluice/control/units";

export function Bytes({ n, className = "" }: { n: number; className?: string }) {
  return (
    <span className={`num whitespace-nowrap ${className}`} title={exactBytes(n)}>
      {formatBytes(n)}
    </span>
  );
}

export function Rate({ n, className = "" }: { n: number | undefined; className?: string }) {
  return (
    <span
      className={`num whitespace-nowrap ${className}`}
      {...(n === undefined ? {} : { title: `${exactBytes(Math.round(n))} a second` })}
    >
      {formatRate(n)}
    </span>
  );
}
