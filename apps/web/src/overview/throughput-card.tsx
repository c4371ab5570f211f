"use client";
/** Bytes written and bytes sent per minute, and the lag between them; as a chart and as a table. */
import dynamic from "next/dynamic";
import { useState } from "react";
import { formatBytes, formatRate } from "@sluice/control/units";
import type { ChartPoint } from "../server/overview/throughput.ts";
import { Card } from "../ui/card.tsx";
import { Choice } from "../ui/choice.tsx";
import { Time } from "../ui/time.tsx";

const HEIGHT_PX = 210;
// The chart library is loaded only on pages with a chart.
const TimeChart = dynamic(() => import("../ui/time-chart.tsx").then((module) => module.TimeChart), {
  ssr: false,
  loading: () => <div style={{ height: HEIGHT_PX }} />,
});

const RANGES = [
  { value: "60", label: "1 h" },
  { value: "360", label: "6 h" },
  { value: "1440", label: "24 h" },
] as const;
type Range = (typeof RANGES)[number]["value"];

const TABLE_ROWS = 30;
const SECONDS = 60;

export function ThroughputCard({ points }: { points: readonly ChartPoint[] }) {
  const [range, setRange] = useState<Range>("60");
  const shown = points.slice(-Number(range));
  const sum = (pick: (point: ChartPoint) => number) => shown.reduce((total, point) => total + pick(point), 0);
  const summary = `In the last ${RANGES.find(({ value }) => value === range)?.label}: ${formatBytes(sum((point) => point.bytes_in))} written, ${formatBytes(sum((point) => point.bytes_sent))} sent to S3.`;
  return (
    <Card
      title="Throughput and lag"
      aside={
        <Choice legend="Range" hideLegend name="range" value={range} options={RANGES} onChange={setRange} />
      }
    >
      <TimeChart
        label={summary}
        height={HEIGHT_PX}
        times={shown.map((point) => point.at / 1_000)}
        series={[
          {
            name: "Written",
            color: "--muted",
            unit: formatRate,
            values: shown.map((point) => point.bytes_in / SECONDS),
          },
          {
            name: "Sent to S3",
            color: "--accent-fill",
            fill: true,
            unit: formatRate,
            values: shown.map((point) => point.bytes_sent / SECONDS),
          },
          {
            name: "Lag",
            color: "--warn",
            axis: "right",
            unit: formatBytes,
            values: shown.map((point) => point.lag_bytes ?? null),
          },
        ]}
      />
      <p className="mt-2 text-sm text-muted">{summary}</p>
      <ThroughputTable points={shown} />
    </Card>
  );
}

function ThroughputTable({ points }: { points: readonly ChartPoint[] }) {
  return (
    <details className="mt-1 text-sm">
      <summary className="text-muted">As a table, newest first</summary>
      <div tabIndex={0} role="region" aria-label="Throughput table" className="mt-2 max-h-64 overflow-auto">
        <table className="num w-full text-left">
          <thead className="text-xs text-muted">
            <tr>
              <th className="py-1 font-medium">Minute</th>
              <th className="font-medium">Written</th>
              <th className="font-medium">Sent</th>
              <th className="font-medium">Lag</th>
            </tr>
          </thead>
          <tbody>
            {points
              .slice(-TABLE_ROWS)
              .reverse()
              .map((point) => (
                <tr key={point.at} className="border-t border-line">
                  <td className="py-1">
                    <Time at={point.at} />
                  </td>
                  <td>{formatBytes(point.bytes_in)}</td>
                  <td>{formatBytes(point.bytes_sent)}</td>
                  <td>{point.lag_bytes === undefined ? "–" : formatBytes(point.lag_bytes)}</td>
                </tr>
              ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}
