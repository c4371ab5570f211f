import { expect, test } from "vitest";
import { Outage } from "./outage.ts";

test("trouble is told when it begins, at growing gaps while it lasts, and once when it is over", () => {
  let nowMs = 0;
  const told: string[] = [];
  const tell = (fields: object, message: string): void =>
    void told.push(`${nowMs / 60_000} min: ${message} ${JSON.stringify(fields)}`);
  const outage = new Outage(
    { monotonicMs: () => nowMs },
    { info: tell, warn: tell },
    {
      begins: "it is away",
      over: "it is back",
    },
  );
  outage.over();
  for (; nowMs <= 20 * 60_000; nowMs += 5_000) outage.during("no answer");
  nowMs = 21 * 60_000;
  expect(outage.reason).toBe("no answer");
  outage.over();
  outage.over();
  expect(outage.reason).toBeUndefined();
  expect(told).toEqual([
    '0 min: it is away {"reason":"no answer"}',
    '1 min: still: it is away {"reason":"no answer","for_s":60}',
    '3 min: still: it is away {"reason":"no answer","for_s":180}',
    '7 min: still: it is away {"reason":"no answer","for_s":420}',
    '15 min: still: it is away {"reason":"no answer","for_s":900}',
    '21 min: it is back {"after_s":1260}',
  ]);
});
