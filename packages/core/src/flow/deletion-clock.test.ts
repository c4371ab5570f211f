import { expect, it } from "vitest";
import { ManualClock } from "../testing/manual-clock.ts";
import { deletionTime, steadyClock } from "./deletion-clock.ts";

const NOW = Date.parse("2026-11-30T00:00:00Z");
const DAY = 86_400_000;

it.each([
  [
    "all agree",
    { steadyMs: NOW, wallMs: NOW + 5, others: { Redis: NOW - 900, store: NOW + 2_000 } },
    NOW - 900,
    false,
  ],
  [
    "our clock was set forward",
    { steadyMs: NOW, wallMs: NOW + 8 * DAY, others: { Redis: NOW, store: NOW } },
    NOW,
    true,
  ],
  [
    "our clock was set forward together with that of Redis",
    { steadyMs: NOW, wallMs: NOW + 8 * DAY, others: { Redis: NOW + 8 * DAY, store: NOW } },
    NOW,
    true,
  ],
  ["our clock was set back", { steadyMs: NOW, wallMs: NOW - DAY, others: { Redis: NOW } }, NOW - DAY, true],
  [
    "our clock was wrong before the start",
    { steadyMs: NOW + DAY, wallMs: NOW + DAY, others: { Redis: NOW } },
    NOW,
    true,
  ],
  [
    "the store's clock is behind",
    { steadyMs: NOW, wallMs: NOW, others: { store: NOW - 7_200_000 } },
    NOW - 7_200_000,
    true,
  ],
  ["a clock is ahead", { steadyMs: NOW, wallMs: NOW, others: { store: NOW + 7_200_000 } }, NOW, true],
  [
    "another clock does not tell",
    { steadyMs: NOW, wallMs: NOW, others: { Redis: undefined, store: NaN } },
    NOW,
    false,
  ],
])("D7f: the slowest clock says what may be deleted: %s", (_case, readings, nowMs, disagrees) => {
  const time = deletionTime(readings);
  expect(time.nowMs).toBe(nowMs);
  expect(time.disagree !== undefined).toBe(disagrees);
});

it("D7f: the steady clock runs on while ours is set", async () => {
  const clock = new ManualClock();
  const steady = steadyClock(clock);
  const before = clock.wallMs();
  clock.stepWall(8 * DAY);
  await clock.advance(5_000);
  expect(steady()).toBe(before + 5_000);
});
