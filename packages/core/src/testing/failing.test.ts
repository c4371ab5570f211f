import { describe, expect, it } from "vitest";
import { atCall, failing, Mortal, type Script } from "./failing.ts";
import { ManualClock } from "./manual-clock.ts";

function counter() {
  let value = 0;
  return {
    add: async (n: number): Promise<number> => (value += n),
    now: (): number => value,
    async *read(): AsyncIterable<number> {
      yield 1;
      yield 2;
    },
  };
}

const wrapped = (script: Script, mortal = new Mortal()) => {
  const port = counter();
  return { port, mortal, ...failing(port, { script, mortal }, ["now"]) };
};

/** Whether a promise has settled once everything has run that can. */
async function settled(promise: Promise<unknown>): Promise<boolean> {
  let done = false;
  const end = (): void => {
    done = true;
  };
  promise.then(end, end);
  await new ManualClock().settle();
  return done;
}

describe("a failing port", () => {
  it.each([
    ["before", 0],
    ["after", 5],
  ] as const)("throws %s its effect, at the call named and no other", async (when, effect) => {
    const { port, add } = wrapped(atCall("add", 2, { when, throw: new Error("lost") }));
    expect(await add(1)).toBe(1);
    await expect(add(5)).rejects.toThrow("lost");
    expect(port.now()).toBe(1 + effect);
    expect(await add(1)).toBe(2 + effect);
  });

  it.each([
    [true, 5],
    [false, 0],
  ])("gives an answer of the test's own, with the call made: %s", async (made, effect) => {
    const { port, add } = wrapped(atCall("add", 1, { answer: 99, made }));
    expect(await add(5)).toBe(99);
    expect(port.now()).toBe(effect);
  });

  it.each([
    ["before", 0],
    ["after", 5],
  ] as const)(
    "lets its caller die %s the effect: no answer ever, and no effect of any later call",
    async (when, effect) => {
      const { port, mortal, add } = wrapped(atCall("add", 1, { when, die: true }));
      expect(await settled(add(5))).toBe(false);
      expect([mortal.dead, port.now()]).toEqual([true, effect]);
      expect(await settled(add(7))).toBe(false);
      expect(port.now()).toBe(effect);
    },
  );

  it("ends an answer that comes bit by bit in the middle when its caller dies", async () => {
    const { mortal, read } = wrapped(() => undefined);
    const seen: number[] = [];
    const reading = (async () => {
      for await (const item of read()) {
        seen.push(item);
        mortal.die();
      }
    })();
    expect(await settled(reading)).toBe(false);
    expect(seen).toEqual([1]);
  });

  it("delays the effect and the answer; who dies meanwhile has no effect or hears nothing", async () => {
    const clock = new ManualClock();
    const port = counter();
    const mortal = new Mortal();
    const slow = failing(port, { mortal, delay: () => clock.sleep(10) });
    const answered = slow.add(1);
    await clock.advance(10);
    expect([port.now(), await settled(answered)]).toEqual([1, false]);
    await clock.advance(10);
    expect(await answered).toBe(1);
    const never = slow.add(5);
    await clock.advance(5);
    mortal.die();
    await clock.advance(20);
    expect([port.now(), await settled(never)]).toEqual([1, false]);
  });
});
