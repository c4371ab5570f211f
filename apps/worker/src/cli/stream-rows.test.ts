import { INDEXES, KINDS } from "@sluice/core";
import { describe, expect, it } from "vitest";
import { chooseStates } from "./stream-rows.ts";

describe("states", () => {
  it("of an index name all its kinds, and also records without a kind", () => {
    expect(chooseStates(["failed"])).toEqual({ indexes: ["failed"], kinds: undefined });
    expect(chooseStates(["all"])).toEqual({ indexes: [...INDEXES], kinds: undefined });
    expect(chooseStates(["opening", "processing"])).toEqual({ indexes: ["active"], kinds: undefined });
  });

  it("of a kind leave the other kinds of its index out", () => {
    expect(chooseStates(["opening"])).toEqual({ indexes: ["active"], kinds: new Set(["opening"]) });
  });

  it("that do not exist are told", () => {
    expect(chooseStates(["gone"])).toBeUndefined();
    for (const kind of KINDS) expect(chooseStates([kind])).toBeDefined();
  });
});
