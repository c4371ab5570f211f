"use client";
/**
 * A chart over time, drawn by uPlot; colours come from the palette and follow the theme. A cursor names one point of it:
 * it follows the pointer, and the arrow keys move it, so its values can be read without a mouse.
 */
import { useEffect, useRef, type KeyboardEvent } from "react";
import uPlot from "uplot";

export interface ChartSeries {
  name: string;
  /** A colour, as CSS writes it. */
  color: string;
  /** Formats a value for axis and legend. */
  unit: (value: number) => string;
  axis?: "left" | "right";
  fill?: boolean;
  /** Lengths of strokes and gaps, px; the legend shows the same. */
  dash?: readonly number[];
  /** null: unknown. */
  values: readonly (number | null)[];
  /** Heights at which the values are drawn, where they differ: in a stack. */
  heights?: readonly (number | null)[];
  /** In a stack, the index of the series below. */
  above?: number;
}

/** A moment, or a time from `at` to `until`, in seconds since 1970. */
export interface ChartSpan {
  at: number;
  until?: number;
  color: string;
}

export interface TimeChartProps {
  /** A description of the chart for screen readers. */
  label: string;
  height: number;
  /** Seconds since 1970, ascending. */
  times: readonly number[];
  series: readonly ChartSeries[];
  spans: readonly ChartSpan[];
  utc: boolean;
  /** Describes one point, for screen readers. */
  describe: (at: number) => string;
  /** The point that the cursor is on: an index of `times`; undefined if there is no cursor. */
  cursor: number | undefined;
  onCursor: (at: number | undefined) => void;
}

const FAR = 15;

export function TimeChart(props: TimeChartProps) {
  const { label, height, times, series, spans, utc, describe, cursor } = props;
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot>(undefined);
  const latest = useRef(props);
  // Another number of lines, or another time zone, needs another chart.
  const shape = `${utc} ${series.map(({ name, color }) => name + color).join("|")}`;

  useEffect(() => {
    latest.current = props;
  });

  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const draw = () => {
      chart.current?.destroy();
      chart.current = new uPlot(
        optionsFor(element, () => latest.current),
        dataOf(latest.current),
        element,
      );
    };
    draw();
    const resized = new ResizeObserver(() => chart.current?.setSize({ width: element.clientWidth, height }));
    resized.observe(element);
    // Colours are painted on a canvas, so another theme needs a new painting.
    const themed = new MutationObserver(draw);
    themed.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    const system = window.matchMedia("(prefers-color-scheme: dark)");
    system.addEventListener("change", draw);
    return () => {
      resized.disconnect();
      themed.disconnect();
      system.removeEventListener("change", draw);
      chart.current?.destroy();
      chart.current = undefined;
    };
  }, [height, shape]);

  useEffect(() => {
    chart.current?.setData(dataOf(latest.current));
  }, [times, series, spans]);

  const last = times.length - 1;
  const shown = Math.min(cursor ?? last, last);
  const moveTo = (at: number | undefined) => {
    const plot = chart.current;
    if (plot === undefined) return;
    const time = at === undefined ? undefined : times[Math.max(0, Math.min(last, at))];
    const left = time === undefined ? -1 : plot.valToPos(time, "x");
    plot.setCursor({ left, top: time === undefined ? -1 : 0 });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const to = keyMoves(shown, last)[event.key];
    if (to === undefined) return;
    event.preventDefault();
    moveTo(to);
  };
  return (
    <div
      ref={box}
      role="slider"
      tabIndex={0}
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={Math.max(0, last)}
      aria-valuenow={Math.max(0, shown)}
      aria-valuetext={last < 0 ? "no data yet" : describe(shown)}
      onKeyDown={onKeyDown}
      onBlur={() => moveTo(undefined)}
      style={{ height }}
      className="overflow-hidden"
    />
  );
}

/** The point that each key goes to. */
function keyMoves(at: number, last: number): Readonly<Record<string, number | undefined>> {
  return {
    ArrowLeft: at - 1,
    ArrowDown: at - 1,
    ArrowRight: at + 1,
    ArrowUp: at + 1,
    PageDown: at - FAR,
    PageUp: at + FAR,
    Home: 0,
    End: last,
  };
}

function dataOf({ times, series }: TimeChartProps): uPlot.AlignedData {
  return [[...times], ...series.map(({ values, heights }) => [...(heights ?? values)])];
}

function optionsFor(element: HTMLElement, latest: () => TimeChartProps): uPlot.Options {
  const { series, height, utc } = latest();
  const color = (name: string) => paint(element, name);
  const axis = {
    stroke: color("var(--muted)"),
    grid: { stroke: color("var(--line)"), width: 1 },
    ticks: { show: false },
    font: `11px ${getComputedStyle(element).fontFamily}`,
  };
  const unitOf = (side: "left" | "right") =>
    series.find((each) => (each.axis ?? "left") === side)?.unit ?? String;
  const values = (side: "left" | "right") => (_: uPlot, splits: number[]) =>
    splits.map((split) => unitOf(side)(split));
  return {
    width: element.clientWidth,
    height,
    legend: { show: false },
    cursor: { y: false, points: { size: 6 } },
    padding: [8, 4, 0, 4],
    // Ticks are at full hours of the zone in which they are shown.
    tzDate: (seconds) =>
      utc ? uPlot.tzDate(new Date(seconds * 1_000), "Etc/UTC") : new Date(seconds * 1_000),
    scales: {
      left: { range: (_, __, max) => [0, Math.max(1, max * 1.1)] },
      right: { range: (_, __, max) => [0, Math.max(1, max * 1.1)] },
    },
    axes: [
      {
        ...axis,
        size: 26,
        grid: { show: false },
        values: (_, splits) => splits.map((split) => clock(split, utc)),
      },
      { ...axis, scale: "left", size: 74, space: 42, incrs: BINARY_STEPS, values: values("left") },
      {
        ...axis,
        scale: "right",
        side: 1,
        size: 66,
        space: 42,
        incrs: BINARY_STEPS,
        grid: { show: false },
        values: values("right"),
      },
    ],
    series: [
      {},
      ...series.map((each) => ({
        label: each.name,
        scale: each.axis ?? "left",
        stroke: color(each.color),
        width: 1.75,
        points: { show: false },
        spanGaps: true,
        ...(each.fill ? { fill: color(`color-mix(in oklab, ${each.color} 16%, transparent)`) } : {}),
        ...(each.dash === undefined ? {} : { dash: [...each.dash] }),
      })),
    ],
    bands: series.flatMap(({ above }, at) =>
      above === undefined ? [] : [{ series: [at + 1, above + 1] as [number, number] }],
    ),
    hooks: {
      drawClear: [(plot) => drawSpans(plot, latest().spans, color)],
      setCursor: [(plot) => latest().onCursor(plot.cursor.idx ?? undefined)],
    },
  };
}

function drawSpans(plot: uPlot, spans: readonly ChartSpan[], color: (name: string) => string): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  for (const span of spans) {
    const from = plot.valToPos(span.at, "x", true);
    if (span.until === undefined) {
      ctx.strokeStyle = color(span.color);
      ctx.lineWidth = 1;
      ctx.setLineDash([2, 3]);
      ctx.beginPath();
      ctx.moveTo(from, bbox.top);
      ctx.lineTo(from, bbox.top + bbox.height);
      ctx.stroke();
    } else {
      ctx.fillStyle = color(`color-mix(in oklab, ${span.color} 14%, transparent)`);
      ctx.fillRect(from, bbox.top, Math.max(2, plot.valToPos(span.until, "x", true) - from), bbox.height);
    }
  }
  ctx.restore();
}

/** Axis labels are round numbers of KiB, MiB and GiB. */
const BINARY_STEPS = Array.from({ length: 60 }, (_, power) => 2 ** power);

function clock(seconds: number, utc: boolean): string {
  const at = new Date(seconds * 1_000);
  return (utc ? at.toISOString().slice(11) : at.toTimeString()).slice(0, 5);
}

/** A colour as the canvas needs it: variables and mixtures resolved. */
function paint(element: HTMLElement, name: string): string {
  const probe = document.createElement("span");
  probe.style.color = name;
  element.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
