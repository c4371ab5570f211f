import type { ChartSeries } from "../ui/time-chart.tsx";

/** A line as the chart draws it, with its dash. */
export function LineSample({ color, dash = [] }: Pick<ChartSeries, "color" | "dash">) {
  return (
    <svg aria-hidden width="24" height="8" className="shrink-0">
      <line x1="0" x2="24" y1="4" y2="4" stroke={color} strokeWidth="2" strokeDasharray={dash.join(" ")} />
    </svg>
  );
}
