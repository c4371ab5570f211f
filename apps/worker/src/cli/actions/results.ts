/** The results of an action, item by item. Items that did not succeed come first and decide the exit code. */
import type { ItemResult, PlanResult } from "@sluice/redis-schema";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import type { Output } from "../output/output.ts";
import type { Style } from "../output/table.ts";

export interface ResultRow {
  id: string;
  result: PlanResult["result"] | "waiting";
  detail?: string;
  data?: ItemResult["data"];
}

export interface ActionReport {
  /** The token of the plan and of its request. */
  token: string;
  action: string;
  results: ResultRow[];
}

const STYLES: Record<ResultRow["result"], Style> = {
  failed: "red",
  refused: "yellow",
  waiting: "dim",
  done: "green",
};
const ORDER = Object.keys(STYLES) as ResultRow["result"][];

export function resultRows(
  ids: readonly string[],
  results: Readonly<Record<string, Partial<ItemResult> & PlanResult>>,
): ResultRow[] {
  return ids.map((id) => {
    const { result = "waiting", detail, data } = results[id] ?? {};
    return {
      id,
      result,
      ...(detail === undefined ? {} : { detail }),
      ...(data === undefined ? {} : { data }),
    };
  });
}

export function printReport(out: Output, report: ActionReport): void {
  const results = report.results.toSorted((a, b) => ORDER.indexOf(a.result) - ORDER.indexOf(b.result));
  if (out.json) {
    const counts = Object.fromEntries(ORDER.map((result) => [result, countOf(results, result)]));
    out.document({ token: report.token, action: report.action, ...counts, results });
    return;
  }
  out.table(
    [
      { title: "result", cell: ({ result }) => ({ text: result, style: STYLES[result] }) },
      { title: "id", cell: ({ id }) => id },
      { title: "detail", cell: ({ detail }) => detail ?? "" },
    ],
    results,
  );
}

export function exitOf(results: readonly ResultRow[]): ExitCode {
  return countOf(results, "failed") + countOf(results, "refused") > 0 ? EXIT.failed : EXIT.ok;
}

function countOf(results: readonly ResultRow[], result: ResultRow["result"]): number {
  return results.filter((row) => row.result === result).length;
}
