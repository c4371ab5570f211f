"use client";
/** A line chart over time, drawn by uPlot; colours come from the palette and follow the theme. */
import { useEffect, useRef } from "react";
import uPlot from "uplot";

export interface ChartSeries {
  name: string;
  /** Name of a colour of the palette. */
  color: string;
  /** Formats a value for axis and legend. */
  unit: (value: number) => string;
  axis?: "left" | "right";
  fill?: boolean;
  /** null: unknown. */
  values: readonly (number | null)[];
}

export interface TimeChartProps {
  /** A description of the chart for screen readers. */
  label: string;
  height: number;
  /** Seconds since 1970, ascending. */
  times: readonly number[];
  series: readonly ChartSeries[];
}

export function TimeChart({ label, height, times, series }: TimeChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot>(undefined);
  const latest = useRef<TimeChartProps>({ label, height, times, series });

  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const draw = () => {
      chart.current?.destroy();
      chart.current = new uPlot(optionsFor(element, latest.current), dataOf(latest.current), element);
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
  }, [height]);

  useEffect(() => {
    latest.current = { label, height, times, series };
    chart.current?.setData(dataOf(latest.current));
  }, [label, height, times, series]);

  return (
    <figure>
      <ul className="mb-1 flex flex-wrap gap-x-4 gap-y-1 text-xs text-muted">
        {series.map(({ name, color, values, unit }) => {
          const last = values.findLast((value) => value !== null);
          return (
            <li key={name} className="flex items-center gap-1.5">
              <span aria-hidden className="h-0.5 w-3.5 rounded" style={{ background: `var(${color})` }} />
              {name}{" "}
              <span className="num font-medium text-text">
                {last === undefined || last === null ? "–" : unit(last)}
              </span>
            </li>
          );
        })}
      </ul>
      <div ref={box} role="img" aria-label={label} style={{ height }} className="overflow-hidden" />
    </figure>
  );
}

function dataOf({ times, series }: TimeChartProps): uPlot.AlignedData {
  return [[...times], ...series.map(({ values }) => [...values])];
}

function optionsFor(element: HTMLElement, { series, height }: TimeChartProps): uPlot.Options {
  const color = (name: string) => paint(element, name);
  const axis = {
    stroke: color("--muted"),
    grid: { stroke: color("--line"), width: 1 },
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
    scales: {
      left: { range: (_, __, max) => [0, Math.max(1, max * 1.1)] },
      right: { range: (_, __, max) => [0, Math.max(1, max * 1.1)] },
    },
    axes: [
      { ...axis, size: 26, grid: { show: false }, values: (_, splits) => splits.map(clock) },
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
        ...(each.fill ? { fill: color("--accent-soft") } : {}),
        ...(each.axis === "right" ? { dash: [4, 4] } : {}),
      })),
    ],
  };
}

/** Axis labels are round numbers of KiB, MiB and GiB. */
const BINARY_STEPS = Array.from({ length: 60 }, (_, power) => 2 ** power);

function clock(seconds: number): string {
  return new Date(seconds * 1_000).toTimeString().slice(0, 5);
}

/** A colour of the palette as a canvas colour. */
function paint(element: HTMLElement, name: string): string {
  const probe = document.createElement("span");
  probe.style.color = `var(${name})`;
  element.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
