import { PassThrough } from "node:stream";
import type { Confirm } from "@sluice/control/actions";
import { summary } from "@sluice/control/run-plan";
import { describe, expect, it } from "vitest";
import { CliError } from "../exit-codes.ts";
import { confirmed, type Asker, type ConfirmFlags } from "./confirm.ts";
import { exitOf, resultRows } from "./results.ts";

function terminal(typed: string | undefined, isTTY = true) {
  const input = Object.assign(new PassThrough(), { isTTY });
  const output = new PassThrough();
  if (typed === undefined) input.end();
  else input.write(`${typed}\n`);
  const asker: Asker = { input, output, signal: new AbortController().signal };
  return { asker, asked: () => ((output.read() as Buffer | null) ?? "").toString() };
}

async function ask(confirm: Confirm, flags: ConfirmFlags, asker: Asker): Promise<string> {
  try {
    await confirmed({ confirm, items: 412 }, flags, asker);
    return "go";
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    return `${error.exitCode}: ${error.message}`;
  }
}

describe("a question", () => {
  it.each<[Confirm, string, string]>([
    ["yes", "y", "go"],
    ["yes", "YES", "go"],
    ["yes", "", "1: Not confirmed: nothing was done."],
    ["yes", "412", "1: Not confirmed: nothing was done."],
    ["count", "412", "go"],
    ["count", " 412 ", "go"],
    ["count", "411", "1: Not confirmed: nothing was done."],
    ["count", "y", "1: Not confirmed: nothing was done."],
  ])("for %s answered with %j: %s", async (confirm, typed, outcome) => {
    const { asker, asked } = terminal(typed);
    expect(await ask(confirm, {}, asker)).toBe(outcome);
    expect(asked()).toContain(confirm === "count" ? "Type 412 to continue: " : "Continue? [y/N] ");
  });

  it("whose terminal closes is a no", async () => {
    expect(await ask("yes", {}, terminal(undefined).asker)).toMatch(/^1: Not confirmed/);
  });

  it("that is interrupted is a no", async () => {
    const interrupt = new AbortController();
    const { asker } = terminal("");
    asker.input.read();
    const answer = ask("yes", {}, { ...asker, signal: interrupt.signal });
    interrupt.abort();
    expect(await answer).toMatch(/^1: Not confirmed/);
  });

  it("is not asked where nothing can be lost", async () => {
    const { asker, asked } = terminal("n");
    expect(await ask("none", {}, asker)).toBe("go");
    expect(asked()).toBe("");
  });

  it("without a terminal is a usage error that says what to add", async () => {
    const { asker } = terminal("y", false);
    expect(await ask("yes", {}, asker)).toBe(
      "2: There is no terminal for a confirmation: add --yes to continue.",
    );
    expect(await ask("count", {}, asker)).toContain("add --yes --count 412");
    expect(await ask("count", { yes: true }, asker)).toContain("add --count 412");
  });

  it("is answered beforehand by --yes, or by --yes and the right --count", async () => {
    const { asker } = terminal(undefined, false);
    expect(await ask("yes", { yes: true }, asker)).toBe("go");
    expect(await ask("count", { yes: true, count: 412 }, asker)).toBe("go");
  });

  it.each<Confirm>(["none", "yes", "count"])(
    "a wrong --count does nothing, whatever was to be confirmed (%s)",
    async (confirm) => {
      const { asker } = terminal("412");
      expect(await ask(confirm, { yes: true, count: 3 }, asker)).toBe(
        "1: --count says 3, but the plan has 412: nothing was done.",
      );
    },
  );
});

describe("results", () => {
  const results = {
    a: { result: "done" as const },
    b: { result: "refused" as const, detail: "it is completed" },
  };

  it("name every item, also those nobody has answered", () => {
    expect(resultRows(["a", "b", "c"], results)).toEqual([
      { id: "a", result: "done" },
      { id: "b", result: "refused", detail: "it is completed" },
      { id: "c", result: "waiting" },
    ]);
    expect(summary(["a", "b", "c"], results)).toBe("1 done, 1 refused, 1 not answered yet");
  });

  it("make the exit code 1 when one was refused or failed", () => {
    expect(exitOf([{ id: "a", result: "done" }])).toBe(0);
    expect(exitOf(resultRows(["a", "b"], results))).toBe(1);
    expect(exitOf([{ id: "a", result: "failed" }])).toBe(1);
  });
});
