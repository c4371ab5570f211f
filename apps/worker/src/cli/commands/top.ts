/** `sluice top`: what is at work now, how fast it goes up and when it is in S3; drawn again every few seconds. */
import { lagBytes } from "@sluice/control/stream-row";
import { formatBytes, formatDuration, formatRate, plural } from "@sluice/control/units";
import { CheckpointError, type Index } from "@sluice/core";
import { formatDuration as asSetting } from "@sluice/config";
import type { ListedStream } from "@sluice/redis-schema";
import { InvalidArgumentError, Option, type Command } from "commander";
import { CliError, EXIT, type ExitCode } from "../exit-codes.ts";
import { LiveRates, type LiveRate } from "../live-rates.ts";
import { addJson, duration } from "../options.ts";
import { Screen } from "../output/screen.ts";
import { shortIds, stateOf } from "../output/stream-table.ts";
import { formatTable, type Column, type Piece } from "../output/table.ts";
import type { CommonFlags } from "../perform.ts";
import { riskSummary } from "../risk-summary.ts";
import { performOnRedis, type Session } from "../session.ts";
import { rowToJson } from "@sluice/control/row-export";
import { collect, selectRows } from "../stream-rows.ts";
import { systemClock } from "@sluice/control/system-clock";

interface TopFlags extends CommonFlags {
  interval: number;
}

const EVERY_MS = 2_000;
const LEAST_MS = 500;
const LIVE: readonly Index[] = ["active", "pending_completion"];

export function addTop(program: Command): void {
  addJson(
    program
      .command("top")
      .summary("watch what is at work")
      .description(
        "Show what is at work now, how fast it grows and goes up, and when what is on disk is in S3: the furthest behind first, drawn again and again until q or Ctrl-C. With --json one snapshot a line (NDJSON) for each interval.",
      ),
  )
    .addOption(
      new Option("--interval <duration>", "time between two pictures")
        .argParser(interval)
        .default(EVERY_MS, asSetting(EVERY_MS)),
    )
    .action(async (flags: TopFlags) => {
      await performOnRedis(flags, (session) =>
        session.out.json ? record(session, flags) : show(session, flags),
      );
    });
}

function interval(text: string): number {
  const ms = duration(text);
  if (ms < LEAST_MS) throw new InvalidArgumentError(`At least ${asSetting(LEAST_MS)} is allowed.`);
  return ms;
}

interface Snapshot {
  rows: ListedStream[];
  title: string;
  because: string;
}

/** The furthest behind first. */
async function look(session: Session, rates: LiveRates): Promise<Snapshot> {
  const { reader, out } = session;
  const [rows, summary] = await Promise.all([
    collect(selectRows(reader, LIVE, {}, out.nowMs)),
    riskSummary(session),
  ]);
  rates.see(rows, systemClock.monotonicMs());
  return { rows: rows.toSorted((a, b) => lagBytes(b) - lagBytes(a)), ...summary };
}

async function record(session: Session, { interval: everyMs }: TopFlags): Promise<ExitCode> {
  const { out, signal } = session;
  const rates = new LiveRates();
  while (!signal.aborted) {
    const { rows, title, because } = await look(session, rates);
    await out.record({
      at_utc: new Date(out.nowMs).toISOString(),
      verdict: `${title}. ${because}`,
      streams: rows.map((row) => ({ ...rowToJson(row), ...rateJson(rates.of(row)) })),
    });
    await systemClock.sleep(everyMs, signal);
  }
  return EXIT.ok;
}

function rateJson({ written, sent, etaMs }: LiveRate): Record<string, number | null> {
  const whole = (value: number | undefined): number | null =>
    value === undefined ? null : Math.round(value);
  return {
    written_bytes_per_second: whole(written),
    sent_bytes_per_second: whole(sent),
    eta_ms: whole(etaMs),
  };
}

async function show(session: Session, { interval: everyMs }: TopFlags): Promise<ExitCode> {
  if (!session.out.onTerminal)
    throw new CliError(EXIT.usage, "top draws on a terminal, and this is none: use --json, or sluice ls");
  const quit = new AbortController();
  const signal = AbortSignal.any([session.signal, quit.signal]);
  const end = (): void => quit.abort();
  process.once("SIGTERM", end);
  using screen = new Screen({ stdout: process.stdout, stdin: process.stdin }, end);
  const rates = new LiveRates();
  const redraw: { now(): void } = { now: () => undefined };
  const onResize = (): void => redraw.now();
  process.stdout.on("resize", onResize);
  try {
    while (!signal.aborted) {
      const lines = await picture(session, rates);
      redraw.now = () => screen.draw(lines(screen.rows, screen.columns));
      redraw.now();
      await systemClock.sleep(everyMs, signal);
    }
  } finally {
    process.stdout.off("resize", onResize);
    process.off("SIGTERM", end);
  }
  return EXIT.ok;
}

type Picture = (rows: number, columns: number) => Piece[][];

async function picture(session: Session, rates: LiveRates): Promise<Picture> {
  try {
    const snapshot = await look(session, rates);
    return (rows, columns) => topLines(snapshot, rates, { rows, columns });
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    // Tried again at the next picture.
    return () => [[{ text: `Redis does not answer: ${error.message}`, style: "red" }]];
  }
}

/** Pure; each line is as wide as the terminal at most. */
export function topLines(
  { rows, title, because }: Snapshot,
  rates: Pick<LiveRates, "of">,
  size: { rows: number; columns: number },
): Piece[][] {
  const all = rows.map((row) => rates.of(row));
  const sum = (of: (rate: LiveRate) => number | undefined) =>
    all.reduce((total, rate) => total + (of(rate) ?? 0), 0);
  const lag = rows.reduce((total, row) => total + lagBytes(row), 0);
  const header: Piece[][] = [
    [{ text: cut(title, size.columns), style: "bold" }],
    [cut(because, size.columns)],
    [
      cut(
        `${plural(rows.length, "stream")} at work · ${formatBytes(lag)} only local · ${formatRate(sum((rate) => rate.sent))} up · ${formatRate(sum((rate) => rate.written))} written`,
        size.columns,
      ),
    ],
    [],
  ];
  // The titles of the table, and what is said of those left out, are lines too.
  const room = Math.max(1, size.rows - header.length - 2);
  const shown = rows.slice(0, room);
  const table = shown.length === 0 ? [] : formatTable(topColumns(rates, shown), shown, size.columns);
  const more = rows.length - shown.length;
  return [...header, ...table, ...(more > 0 ? [[{ text: `and ${more} more`, style: "dim" } as const]] : [])];
}

function topColumns(rates: Pick<LiveRates, "of">, rows: readonly ListedStream[]): Column<ListedStream>[] {
  const short = shortIds(rows.map(({ id }) => id));
  return [
    { title: "id", cell: ({ id }) => short(id) },
    { title: "state", cell: stateOf, narrow: { least: 10 } },
    {
      title: "size",
      align: "right",
      narrow: "left out",
      cell: ({ file_size: size }) => formatBytes(size ?? 0),
    },
    { title: "only local", align: "right", cell: (row) => formatBytes(lagBytes(row)) },
    { title: "up", align: "right", cell: (row) => formatRate(rates.of(row).sent) },
    { title: "eta", align: "right", cell: (row) => etaOf(rates.of(row)) },
    { title: "path", cell: (row) => row.original_path ?? { text: "(no path)", style: "dim" } },
  ];
}

function etaOf({ etaMs }: LiveRate): Piece {
  return etaMs === undefined ? { text: "–", style: "dim" } : formatDuration(etaMs);
}

function cut(text: string, columns: number): string {
  return text.length <= columns ? text : `${text.slice(0, columns - 1)}…`;
}
