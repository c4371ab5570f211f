import { expect, it } from "vitest";
import { classesOf, COLUMNS, tracks } from "./stream-table.tsx";

/** Below which width a class hides its cell, in rem. */
const HIDES: Readonly<Record<string, number>> = {
  "max-md:hidden": 48,
  "max-lg:hidden": 64,
  "max-xl:hidden": 80,
  "max-[88rem]:hidden": 88,
};

function shownAt(rem: number): string[] {
  const hidden = (classes: string) => classes.split(" ").some((name) => rem < (HIDES[name] ?? 0));
  return COLUMNS.filter((column) => !hidden(classesOf(column))).map(({ name }) => name);
}

it.each([
  ["md", 48],
  ["lg", 64],
  ["xl", 80],
  ["wide", 88],
] as const)("at %s the grid has one track for each column that is shown", (at, rem) => {
  expect(tracks(COLUMNS, at).split(" ")).toHaveLength(shownAt(rem).length);
});

it("columns come with the room there is for them", () => {
  expect(shownAt(30)).toEqual(["File", "State", "In S3", "Activity"]);
  expect(shownAt(48)).toEqual(["File", "State", "In S3", "Activity"]);
  expect(shownAt(64)).toEqual(["File", "State", "In S3", "Lag", "Activity"]);
  expect(shownAt(80)).toEqual(["File", "State", "In S3", "Lag", "Activity", "Started"]);
  expect(shownAt(88)).toEqual(["File", "State", "In S3", "Lag", "Activity", "Worker", "Started"]);
});

it("a column that comes later than at md is on no phone, where it would vanish in between", () => {
  const between = COLUMNS.filter(({ widths, onPhone }) => onPhone && widths.md === undefined);
  expect(between.map(({ name }) => name)).toEqual([]);
});

it("of each column the width that is written for the nearest narrower window counts", () => {
  expect(tracks(COLUMNS, "md")).toBe("minmax(0,1fr) 9.5rem 8.5rem 5.5rem");
  expect(tracks(COLUMNS, "lg")).toBe("minmax(0,2fr) 12rem minmax(8.5rem,1fr) 5.5rem 6.5rem");
  expect(tracks(COLUMNS, "xl")).toBe("minmax(0,2.6fr) 11rem minmax(8.5rem,1fr) 5.5rem 6.5rem 6.5rem");
  expect(tracks(COLUMNS, "wide")).toBe(
    "minmax(0,2.6fr) 11.5rem minmax(8.5rem,1fr) 5.5rem 6.5rem minmax(8.5rem,0.9fr) 6.5rem",
  );
});
