import { expect, it } from "vitest";
import { exportsOf, packagePage, PACKAGES, undocumented } from "./packages.ts";

it.each(PACKAGES)("each function and class that %s exports says what it does", (name) => {
  const found = exportsOf(name);
  expect(found.length).toBeGreaterThan(0);
  expect(undocumented(found)).toEqual([]);
});

it("an export is found through the index, with its signature, its comment and not its body", () => {
  const found = exportsOf("core").find(({ name }) => name === "streamId");
  expect(found).toEqual({
    name: "streamId",
    file: "src/stream/values.ts",
    kind: "function",
    signature: "function streamId(text: string): StreamId",
    comment: "A text as a stream's id. An empty one is a bug: InvariantError.",
  });
});

it("a function without a comment is named; a type is its own description", () => {
  const one = { file: "src/a.ts", signature: "", comment: "" };
  const found = [
    { ...one, name: "f", kind: "function" as const },
    { ...one, name: "T", kind: "type" as const },
    { ...one, name: "g", kind: "function" as const, comment: "It does." },
  ];
  expect(undocumented(found)).toEqual(["src/a.ts: f"]);
});

it("the page of a package has each of its exports", () => {
  const page = packagePage("s3-store");
  for (const { name } of exportsOf("s3-store")) expect(page).toContain(`### ${name}\n`);
});
