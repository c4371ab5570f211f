/** A plan in words and numbers: how many items, which, what happens to them, what was left out and why. */
import { formatCount, plural } from "@sluice/control/units";
import { Bytes } from "../ui/bytes.tsx";
import { VisibleName } from "../ui/visible-name.tsx";
import type { PlanView } from "./plan-view.ts";

export function PlanSummary({ plan }: { plan: PlanView }) {
  const more = plan.items - plan.sample.length;
  return (
    <div className="flex flex-col gap-3 text-sm">
      <ul className="list-disc space-y-1 pl-4.5">
        {plan.facts.map((fact) => (
          <li key={fact}>{fact}</li>
        ))}
      </ul>
      <ul className="divide-y divide-line rounded-lg border border-line bg-sunken/50 px-3">
        {plan.sample.map((item) => (
          <li key={item.id} className="flex items-center justify-between gap-3 py-1.5">
            <span className="truncate">
              <VisibleName text={item.name} />
            </span>
            <Bytes n={item.bytes} className="text-muted" />
          </li>
        ))}
        {more > 0 && <li className="num py-1.5 text-muted">and {formatCount(more)} more, exactly these</li>}
      </ul>
      {plan.left_out > 0 && (
        <p className="text-warn">
          {plural(plan.left_out, "further stream")} matched: one plan takes {formatCount(plan.items)}. Run it
          again for the rest.
        </p>
      )}
      {plan.excluded.length > 0 && (
        <p className="text-muted">
          Left out: {plan.excluded.map(({ why, count }) => `${plural(count, "stream")} (${why})`).join(", ")}.
        </p>
      )}
    </div>
  );
}
