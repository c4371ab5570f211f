import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InvariantError } from "../assert.ts";
import { FAILURE_REASONS, FAILURES } from "./failures.ts";
import {
  apply,
  canApply,
  EVENTS,
  failed,
  INDEX_OF,
  INDEXES,
  isLive,
  kindOf,
  KINDS,
  kindsThatMay,
  MOVES,
  moveTo,
  type Event,
  type Kind,
} from "./state.ts";

const every = KINDS.flatMap((kind) => EVENTS.map((event) => ({ kind, event })));
const legal = every.filter(({ kind, event }) => (MOVES[kind] as Partial<Record<Event, Kind>>)[event]);
const illegal = every.filter(({ kind, event }) => !canApply(kind, event));

describe("the table of moves", () => {
  it("has a row for every state and leads only to states", () => {
    expect(Object.keys(MOVES)).toEqual([...KINDS]);
    for (const row of Object.values(MOVES)) {
      for (const [event, kind] of Object.entries(row)) {
        expect(EVENTS).toContain(event);
        expect(KINDS).toContain(kind);
      }
    }
  });

  it.each(legal)("lets a stream in $kind be $event", ({ kind, event }) => {
    expect(apply(kind, event)).toBe(moveTo(kind, event));
    expect(kindsThatMay(event)).toContain(kind);
  });

  it.each(illegal)("refuses that a stream in $kind is $event", ({ kind, event }) => {
    expect(() => apply(kind, event)).toThrow(InvariantError);
    expect(kindsThatMay(event)).not.toContain(kind);
  });

  it("lets every live state fail, and nothing leave completed", () => {
    expect(KINDS.filter((kind) => canApply(kind, "broke"))).toEqual(KINDS.filter(isLive));
    expect(MOVES.completed).toEqual({});
  });

  it("reaches every state from opening", () => {
    const seen = new Set<Kind>(["opening"]);
    for (const kind of seen)
      for (const event of EVENTS) {
        const next = moveTo(kind, event);
        if (next) seen.add(next);
      }
    expect([...seen].toSorted()).toEqual([...KINDS].toSorted());
  });

  it("leaves every state but completed some way to completed", () => {
    const leads = (kind: Kind, visited: ReadonlySet<Kind> = new Set()): boolean =>
      kind === "completed" ||
      EVENTS.some((event) => {
        const next = moveTo(kind, event);
        return next !== undefined && !visited.has(next) && leads(next, new Set([...visited, kind]));
      });
    expect(KINDS.filter((kind) => !leads(kind))).toEqual([]);
  });
});

describe("a status text", () => {
  it.each(FAILURE_REASONS)("failed_%s is a failed one and has a remedy", (reason) => {
    expect(kindOf(failed(reason))).toBe("failed");
    expect(FAILURES[reason].remedy).not.toBe("");
  });

  it("is its kind for all others, and failed alone is none", () => {
    for (const kind of KINDS) expect(kindOf(kind)).toBe(kind === "failed" ? undefined : kind);
    expect(kindOf("")).toBeUndefined();
  });

  it("is of no kind for any other text that may stand in Redis", () => {
    const known = new Set<string>(KINDS);
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(kindOf(text) === undefined || known.has(text) || text.startsWith("failed_")).toBe(true);
      }),
    );
  });
});

it("every state is in one index, and every index has a state", () => {
  expect(Object.keys(INDEX_OF)).toEqual([...KINDS]);
  expect(new Set(Object.values(INDEX_OF))).toEqual(new Set(INDEXES));
});
