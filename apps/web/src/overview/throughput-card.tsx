"use client";
/**
 * Bytes written and bytes sent per minute, and the lag of each source; as a chart and as a table. Its right end is now:
 * what it says there is what the tiles say.
 */
import { useQuery } from "@tanstack/react-query";
import dynamic from "next/dynamic";
import { useQueryStates } from "nuqs";
import { useMemo, useState, type ComponentProps } from "react";
import { formatBytes, formatClock, formatDuration, formatRate } from "@sluice/control/units";
import type { Overview } from "../server/overview/overview.ts";
import { useTRPC } from "../trpc/client.tsx";
import { Answered } from "../ui/answered.tsx";
import { Card } from "../ui/card.tsx";
import { Choice } from "../ui/choice.tsx";
import { usePreferences } from "../ui/preferences-context.tsx";
import { Time } from "../ui/time.tsx";
import type { ChartSeries } from "../ui/time-chart.tsx";
import { lagOfSources, OTHER_SOURCES, type Chart, type ChartMark, type ChartPoint } from "./chart.ts";
import { LineSample } from "./line-sample.tsx";
import { RANGES, rangeParsers, type Range } from "./range.ts";

const HEIGHT_PX = 210;
// The chart library is loaded only on pages with a chart.
const TimeChart = dynamic(() => import("../ui/time-chart.tsx").then((module) => module.TimeChart), {
  ssr: false,
  loading: () => <div style={{ height: HEIGHT_PX }} />,
});

const RANGE_WORDS: Readonly<Record<Range, string>> = { "1h": "1 h", "6h": "6 h", "24h": "24 h" };
const MINUTE_MS = 60_000;
/** Workers have reported on a minute by then. */
const SETTLED_MS = 2_000;
const SECONDS = 60;
const TABLE_ROWS = 30;
const SHOWN_MARKS = 4;

/** One line of the stack for each source: a dash of its own too, because colour alone does not distinguish them. */
const LAG_LOOKS = [
  { color: "var(--warn)", dash: [5, 4] },
  { color: "var(--part-again)", dash: [2, 3] },
  { color: "var(--bad)", dash: [9, 4] },
  { color: "var(--part-tail)", dash: [9, 3, 2, 3] },
  { color: "var(--line-strong)", dash: [1, 4] },
] as const;

/** What the right end of the chart shows. */
export type ChartNow = Pick<Overview, "at" | "rate_in" | "rate_out" | "lag_by_source">;

// A minute is drawn once it is over.
const FRESH = { refetchInterval: () => MINUTE_MS - (Date.now() % MINUTE_MS) + SETTLED_MS };

/** Of everything. */
export function ThroughputCard({ overview }: { overview: Overview }) {
  const trpc = useTRPC();
  const [{ range }] = useQueryStates(rangeParsers);
  const chart = useQuery(trpc.overview.chart.queryOptions({ range }, FRESH));
  return <ChartCard chart={chart} now={overview} />;
}

/** Of one source, or of one of its watches, whose lag nobody reports minute by minute. */
export function SourceThroughputCard({
  source,
  watch,
  now,
}: {
  source: string;
  watch?: string | undefined;
  now: ChartNow;
}) {
  const trpc = useTRPC();
  const [{ range }] = useQueryStates(rangeParsers);
  const of = watch === undefined ? { source } : { source, watch };
  const chart = useQuery(trpc.sources.chart.queryOptions({ ...of, range }, FRESH));
  return <ChartCard chart={chart} now={now} lag={watch === undefined} />;
}

function ChartCard({
  chart,
  now,
  lag = true,
}: {
  chart: ComponentProps<typeof Answered<Chart>>["query"];
  now: ChartNow;
  lag?: boolean;
}) {
  const [{ range }, setRange] = useQueryStates(rangeParsers);
  return (
    <Card
      title={lag ? "Throughput and lag" : "Throughput"}
      aside={
        <Choice
          legend="Range"
          hideLegend
          name="range"
          value={range}
          options={RANGES.map((value) => ({ value, label: RANGE_WORDS[value] }))}
          onChange={(next) => void setRange({ range: next })}
        />
      }
    >
      <Answered query={chart} what="The chart" lines={8}>
        {(data) => <ThroughputChart chart={data} overview={now} range={range} lag={lag} />}
      </Answered>
    </Card>
  );
}

function ThroughputChart({
  chart: { sources, points, marks },
  overview,
  range,
  lag,
}: {
  chart: Chart;
  overview: ChartNow;
  range: Range;
  lag: boolean;
}) {
  const { timeMode } = usePreferences();
  const utc = timeMode === "utc";
  const [cursor, setCursor] = useState<number>();
  const lines = useMemo(
    () => linesOf(lag ? namesOf(sources, overview) : [], points, overview),
    [lag, sources, points, overview],
  );
  const times = useMemo(
    () => [...points.map(({ at }) => at / 1_000), overview.at / 1_000],
    [points, overview.at],
  );
  const spans = useMemo(() => marks.map((mark) => spanOf(mark, overview.at)), [marks, overview.at]);
  const at = cursor === undefined ? undefined : points[cursor]?.at;
  const sum = (pick: (point: ChartPoint) => number) =>
    points.reduce((total, point) => total + pick(point), 0);
  const describe = (point: number) => {
    const time = points[point]?.at;
    const when = time === undefined ? "Now" : formatClock(time, overview.at, utc);
    return `${when}: ${lines.map(({ name, unit, values }) => `${name} ${valueWords(values[point], unit)}`).join(", ")}`;
  };
  return (
    <>
      <Values lines={lines} at={at} index={at === undefined ? points.length : (cursor ?? 0)} />
      <TimeChart
        label={lag ? "Throughput and lag, minute by minute" : "Throughput, minute by minute"}
        height={HEIGHT_PX}
        times={times}
        series={lines}
        spans={spans}
        utc={utc}
        describe={describe}
        cursor={cursor}
        onCursor={setCursor}
      />
      <p className="mt-2 text-sm text-muted">
        In the last {RANGE_WORDS[range]}: {formatBytes(sum((point) => point.bytes_in))} written,{" "}
        {formatBytes(sum((point) => point.bytes_sent))} sent to S3.
      </p>
      <Marks marks={marks} now={overview.at} />
      <ThroughputTable points={points} lag={lag} />
    </>
  );
}

/** Each line as it is drawn, with its value where the cursor is. */
function Values({
  lines,
  at,
  index,
}: {
  lines: readonly ChartSeries[];
  /** The minute under the cursor; undefined: now. */
  at: number | undefined;
  index: number;
}) {
  return (
    <ul className="mb-1 flex flex-wrap gap-x-4 gap-y-1 text-xs text-muted" data-testid="chart-values">
      <li className="font-medium text-text">{at === undefined ? "Now" : <Time at={at} />}</li>
      {lines.map(({ name, color, dash, values, unit }) => (
        <li key={name} className="flex min-w-0 items-center gap-1.5">
          <LineSample color={color} {...(dash === undefined ? {} : { dash })} />
          <span className="min-w-0 [overflow-wrap:anywhere]">{name}</span>{" "}
          <span className="num font-medium whitespace-nowrap text-text">
            {valueWords(values[index], unit)}
          </span>
        </li>
      ))}
    </ul>
  );
}

function valueWords(value: number | null | undefined, unit: (value: number) => string): string {
  return value === null || value === undefined ? "–" : unit(value);
}

/** The last value of each line is that of now, from the overview itself; whole minutes are drawn, and now only the lag. */
function linesOf(names: readonly string[], points: readonly ChartPoint[], overview: ChartNow): ChartSeries[] {
  const rate = (counter: "bytes_in" | "bytes_sent", now: number) => ({
    unit: formatRate,
    values: [...points.map((point) => point[counter] / SECONDS), now],
    heights: [...points.map((point) => point[counter] / SECONDS), null],
  });
  const now = lagOfSources(names, overview.lag_by_source);
  const lag = names.map((_, source) => [...points.map((point) => point.lag[source] ?? 0), now[source] ?? 0]);
  return [
    { name: "Written", color: "var(--muted)", ...rate("bytes_in", overview.rate_in) },
    { name: "Sent to S3", color: "var(--accent-fill)", fill: true, ...rate("bytes_sent", overview.rate_out) },
    ...names.map((source, place): ChartSeries => {
      const { color, dash } = LAG_LOOKS[place % LAG_LOOKS.length] ?? LAG_LOOKS[0];
      return {
        name: names.length === 1 ? "Lag" : `Lag of ${sourceWords(source)}`,
        color,
        dash,
        axis: "right",
        unit: formatBytes,
        fill: names.length > 1,
        values: lag[place] ?? [],
        // Each source is drawn on top of those before it, so the top line is the lag of all.
        heights: (lag[place] ?? []).map((_, at) =>
          lag.slice(0, place + 1).reduce((total, values) => total + (values[at] ?? 0), 0),
        ),
        ...(place === 0 ? {} : { above: 2 + place - 1 }),
      };
    }),
  ];
}

/** A source that appeared since the last minute ended is drawn at once: the lines add up to the tile. */
function namesOf(sources: readonly string[], { lag_by_source: lag }: ChartNow): readonly string[] {
  if (sources.includes(OTHER_SOURCES)) return sources;
  const added = Object.keys(lag).filter((name) => !sources.includes(name));
  const names = [...sources, ...added];
  return names.length === 0 ? [""] : names;
}

function sourceWords(source: string): string {
  if (source === OTHER_SOURCES) return "other sources";
  return source === "" ? "an unknown source" : source;
}

function spanOf({ kind, at, until }: ChartMark, now: number) {
  const color = kind === "started" ? "var(--muted)" : "var(--bad)";
  return kind === "started"
    ? { at: at / 1_000, color }
    : { at: at / 1_000, until: (until ?? now) / 1_000, color };
}

/** What the marks in the chart mean, newest first. */
function Marks({ marks, now }: { marks: readonly ChartMark[]; now: number }) {
  if (marks.length === 0) return null;
  const line = (mark: ChartMark) => (
    <li key={`${mark.kind} ${mark.subject} ${mark.at}`}>
      <Time at={mark.at} />{" "}
      {MARK_WORDS[mark.kind](mark.kind === "silent" ? sourceWords(mark.subject) : mark.subject)}
      {mark.kind !== "started" &&
        (mark.until === undefined
          ? `, for ${formatDuration(now - mark.at)} so far`
          : `, for ${formatDuration(mark.until - mark.at)}`)}
    </li>
  );
  const more = marks.slice(SHOWN_MARKS);
  return (
    <div className="mt-1 text-sm text-muted [overflow-wrap:anywhere]" data-testid="chart-marks">
      <ul>{marks.slice(0, SHOWN_MARKS).map(line)}</ul>
      {more.length > 0 && (
        <details>
          <summary>{more.length} earlier</summary>
          <ul>{more.map(line)}</ul>
        </details>
      )}
    </div>
  );
}

const MARK_WORDS: Readonly<Record<ChartMark["kind"], (subject: string) => string>> = {
  started: (worker) => `worker ${worker} started`,
  silent: (source) => `no worker reported from ${source}`,
  blocked: (worker) => `worker ${worker} was blocked`,
};

function ThroughputTable({ points, lag }: { points: readonly ChartPoint[]; lag: boolean }) {
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
              {lag && <th className="font-medium">Lag</th>}
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
                  {lag && <td>{formatBytes(point.lag.reduce((sum, bytes) => sum + bytes, 0))}</td>}
                </tr>
              ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}
