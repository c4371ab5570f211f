/** The result of a comparison with S3, in words and, if they differ, in numbers. */
import { CircleAlert, CircleCheck, CircleX, Hourglass } from "lucide-react";
import { formatCount, plural } from "@sluice/control/units";
import type { Comparison } from "./compare-parts.ts";

const SHOWN = 20;

export function ComparisonView({ comparison }: { comparison: Comparison }) {
  return (
    <div
      role="status"
      className="rounded-lg border border-line bg-sunken/50 px-3 py-2 text-sm"
      data-comparison={comparison.kind}
    >
      <Verdict comparison={comparison} />
    </div>
  );
}

function Verdict({ comparison }: { comparison: Comparison }) {
  switch (comparison.kind) {
    case "waiting":
      return <Line icon={<Hourglass aria-hidden className="size-4 text-muted" />}>Asked of a worker…</Line>;
    case "refused":
      return (
        <Line icon={<CircleAlert aria-hidden className="size-4 text-warn" />}>
          Not compared: {comparison.detail}
        </Line>
      );
    case "gone":
      return <Line icon={<CircleX aria-hidden className="size-4 text-bad" />}>{comparison.detail}</Line>;
    case "parts":
      return (
        <>
          {comparison.differences.length === 0 ? (
            <Line icon={<CircleCheck aria-hidden className="size-4 text-good" />}>
              ListParts agrees: {plural(comparison.same, "part")} with the same ETag and size
            </Line>
          ) : (
            <Line icon={<CircleAlert aria-hidden className="size-4 text-warn" />}>
              {plural(comparison.differences.length, "part")} of{" "}
              {formatCount(comparison.same + comparison.differences.length)} differ
            </Line>
          )}
          {comparison.differences.length > 0 && (
            <ul className="num mt-1.5 space-y-0.5 pl-6">
              {comparison.differences.slice(0, SHOWN).map(({ PartNumber, what }) => (
                <li key={PartNumber}>
                  Part {PartNumber}: {what}
                </li>
              ))}
              {comparison.differences.length > SHOWN && (
                <li>and {formatCount(comparison.differences.length - SHOWN)} more</li>
              )}
            </ul>
          )}
        </>
      );
    case "object":
      return (
        <>
          <Line
            icon={
              comparison.same ? (
                <CircleCheck aria-hidden className="size-4 text-good" />
              ) : (
                <CircleX aria-hidden className="size-4 text-bad" />
              )
            }
          >
            {comparison.same ? "HeadObject agrees with the record" : "HeadObject differs from the record"}
          </Line>
          <ul className="mt-1.5 space-y-0.5 pl-6">
            {comparison.facts.map((fact) => (
              <li key={fact.name} className="[overflow-wrap:anywhere]">
                {fact.name}: <code>{fact.in_s3}</code>{" "}
                {fact.same ? (
                  <span className="text-good">same</span>
                ) : (
                  <span className="text-bad">recorded: {fact.recorded}</span>
                )}
              </li>
            ))}
          </ul>
        </>
      );
  }
}

function Line({ icon, children }: { icon: React.ReactNode; children: React.ReactNode }) {
  return (
    <p className="flex items-center gap-2 font-medium">
      {icon}
      <span>{children}</span>
    </p>
  );
}
