import { expect, it } from "vitest";
import { proofOf } from "./proof.ts";

it.each([
  [{ sha256: { object: "a", file: "b" } }, { object: "a", file: "b" }],
  [{ sha256: { object: "a" } }, { object: "a" }],
  [{ sha256: { object: "a", file: 5 } }, { object: "a" }],
  [{ sha256: { file: "b" } }, undefined],
  [{ sha256: "a" }, undefined],
  [{}, undefined],
  [null, undefined],
  [undefined, undefined],
])("of %j: %j", (report, proof) => {
  expect(proofOf(report)).toEqual(proof);
});
