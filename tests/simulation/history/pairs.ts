/**
 * Which actions met streams in which states, in how many histories: written into docs/internals/simulation.md. A pair that
 * stands at nothing is a hole in the world, or is explained there.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { KINDS } from "@sluice/core";
import type { Database } from "../redis/database.ts";
import { ACTION_KINDS, ENDING, type Action } from "./plan.ts";

const STATES = ["none", ...KINDS];

const ROWS = ["write", ...ACTION_KINDS.filter((kind) => kind !== "ask"), "ask", ...ENDING.map(askedFor)];
const [BEGIN, END] = ["<!-- pairs: npm run simulate -- --pairs -->", "<!-- end of pairs -->"];

function askedFor(action: string): string {
  return `ask: ${action}`;
}

/** What the action met, one text for each pair. */
export function pairsOf(action: Action, database: Database): string[] {
  const isEnding = action.kind === "ask" && ENDING.some((ending) => ending === action.action);
  const row = action.kind === "ask" && isEnding ? askedFor(action.action) : action.kind;
  const states = database.keys().flatMap((key) => {
    if (!/^stream:.*:meta$/.test(key)) return [];
    const status = database.execute(["HGET", key, "status"]);
    if (typeof status !== "string") return [];
    return [status.startsWith("failed_") ? "failed" : status];
  });
  return (states.length > 0 ? states : ["none"]).map((state) => `${row} × ${state}`);
}

export class Pairs {
  readonly #met = new Map<string, number>();

  add(pairs: ReadonlySet<string>): void {
    for (const pair of pairs) this.#met.set(pair, (this.#met.get(pair) ?? 0) + 1);
  }

  write(file: string, histories: number, from: number): void {
    const before = readFileSync(file, "utf8");
    const [begin, end] = [before.indexOf(BEGIN), before.indexOf(END)];
    if (begin < 0 || end < begin) throw new Error(`${file} has no room for the pairs`);
    const rows = ROWS.map((row) => {
      const cells = STATES.map((state) => String(this.#met.get(`${row} × ${state}`) ?? 0));
      return `| ${[row, ...cells].join(" | ")} |`;
    });
    const table = [
      BEGIN,
      "",
      `Of ${histories} histories from seed ${from}, those in which the action met a stream of that state (\`none\`: Redis held no stream).`,
      "",
      `| action | ${STATES.join(" | ")} |`,
      `| --- |${" ---: |".repeat(STATES.length)}`,
      ...rows,
      "",
    ];
    writeFileSync(file, `${before.slice(0, begin)}${table.join("\n")}\n${before.slice(end)}`);
  }
}
