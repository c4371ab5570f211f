/** What the dashboard can do, the command line can, under the same rules: the two must never drift apart. */
import { KINDS } from "@sluice/core";
import { describe, expect, it } from "vitest";
import * as dashboard from "@sluice/control/actions";
import { confirmFor, PLANNED_ACTIONS, TYPED_FROM_ITEMS } from "@sluice/control/draft";
import { obstacle } from "./actions/obstacle.ts";

describe("dashboard and command line", () => {
  it("have the same actions", () => {
    for (const action of dashboard.PLAN_ACTIONS) expect(PLANNED_ACTIONS).toContain(action);
  });

  it.each(dashboard.STREAM_ACTIONS)(
    "allow to %s in the same states, and refuse with the same words",
    (action) => {
      for (const kind of [...KINDS, undefined]) {
        for (const superseded of [{}, { superseded_by: "s2" }]) {
          const row = { id: "s1", status: kind ?? "", kind, ...superseded };
          expect([kind, obstacle(action, row)]).toEqual([kind, dashboard.obstacle(action, row)]);
        }
      }
    },
  );

  it("want something typed for the same plans", () => {
    expect(TYPED_FROM_ITEMS).toBe(dashboard.TYPED_FROM_ITEMS);
    for (const items of [1, 49, 50]) {
      for (const uploads of [0, 1]) {
        const typed = dashboard.typedWord({ action: "purge", items, uploads });
        expect(confirmFor(items, uploads, "yes") === "count").toBe(typed !== undefined);
      }
    }
  });
});
