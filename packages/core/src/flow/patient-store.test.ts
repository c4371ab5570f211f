import { describe, expect, it } from "vitest";
import { StoreError, StreamFailure, type StoreTrouble } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { SILENT } from "../ports/observer.ts";
import { parseWaiting } from "../stream/waiting.ts";
import { rejectionOf } from "../testing/rejection.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import { streamId } from "../stream/values.ts";
import { newStream } from "../testing/test-values.ts";
import { PatientStore } from "./patient-store.ts";
import { StoreGate } from "./store-gate.ts";

const never = new AbortController().signal;
const record = newStream();

function error(trouble: StoreTrouble, outcomeUnknown = false): StoreError {
  return new StoreError({ trouble, code: "Code", message: "words", outcomeUnknown });
}

function setUp() {
  const clock = new ManualClock();
  const random = (): number => 0.5;
  const gate = new StoreGate({ clock, observer: SILENT, random });
  const notified: (string | undefined)[] = [];
  const update = async (change: { patch: { waiting_for?: string | null } }): Promise<void> => {
    const waiting = parseWaiting(change.patch.waiting_for ?? undefined);
    notified.push(waiting?.for === "store" ? waiting.detail : undefined);
  };
  const store = new PatientStore({ gate, clock, observer: SILENT, random }, { record, update });
  /** Answers in order; the last one for ever. */
  const answers = (...list: (StoreError | string)[]) => {
    let asked = 0;
    return {
      request: (): Promise<string> => {
        const next = list[Math.min(asked, list.length - 1)] ?? "";
        asked += 1;
        return typeof next === "string" ? Promise.resolve(next) : Promise.reject(next);
      },
      asked: () => asked,
    };
  };
  return { clock, gate, store, notified, answers };
}

describe("a request of a stream", () => {
  it("P11: is made until the store answers, however long that takes", async () => {
    const { clock, store, answers } = setUp();
    const { request, asked } = answers(...Array.from({ length: 300 }, () => error("unreachable")), "yes");
    expect(await clock.drive(store.send("part 1", request, never))).toBe("yes");
    expect(asked()).toBe(301);
    expect(clock.monotonicMs()).toBeGreaterThan(3_600_000);
  });

  it("of unknown outcome is looked up before it is made again", async () => {
    const { clock, gate, store, answers } = setUp();
    const { request, asked } = answers(error("unreachable", true), "again");
    const lookUp = (): Promise<string> => store.ask("ListParts", () => Promise.resolve("found"), never);
    expect(await clock.drive(store.send("part 1", request, never, lookUp))).toBe("found");
    expect(asked()).toBe(1);
    expect(gate.state.blocked).toBe(false);
  });

  it("P11: that fails again and again is the store's trouble, at longer and longer pauses, though look-ups are answered", async () => {
    const { clock, gate, store, answers } = setUp();
    const failures = Array.from({ length: 12 }, () => error("unreachable", true));
    const { request } = answers(...failures, "yes");
    const blocked: boolean[] = [];
    const lookUp = async (): Promise<undefined> => {
      await store.ask("ListParts", () => Promise.resolve("no such part"), never);
      blocked.push(gate.state.blocked);
    };
    expect(await clock.drive(store.send("part 1", request, never, lookUp))).toBe("yes");
    expect(blocked).toEqual(failures.map(() => true));
    expect(clock.monotonicMs()).toBeGreaterThan(LIMITS.retryMostMs);
    expect(gate.state.blocked).toBe(false);
  });

  it("is made again when the look-up finds nothing, and not looked up when it surely failed", async () => {
    const { clock, store, answers } = setUp();
    let lookedUp = 0;
    const lookUp = async (): Promise<undefined> => {
      lookedUp += 1;
    };
    const { request } = answers(error("unreachable", true), error("throttled"), "again");
    expect(await clock.drive(store.send("part 1", request, never, lookUp))).toBe("again");
    expect(lookedUp).toBe(1);
  });

  it("fails its stream when the key alone stays denied, and says so from the first refusal", async () => {
    const { clock, store, notified, answers } = setUp();
    const failure = clock.drive(store.send("PutObject", answers(error("denied")).request, never));
    await expect(failure).rejects.toMatchObject({ reason: "access_denied" });
    expect(clock.monotonicMs()).toBeGreaterThanOrEqual(LIMITS.deniedKeyMs);
    expect(new Set(notified)).toEqual(new Set(["PutObject: Code: words"]));
    expect(notified.length, "not at each attempt").toBeLessThan(10);
  });

  it("does not add up refusals that healed in between", async () => {
    const { clock, store, answers } = setUp();
    const { request } = answers(error("denied"), "yes");
    await clock.drive(store.ask("head", request, never));
    await clock.advance(LIMITS.deniedKeyMs);
    const again = answers(error("denied"), "yes");
    expect(await clock.drive(store.ask("head", again.request, never))).toBe("yes");
    expect(store.trouble).toBeUndefined();
  });

  it("fails its stream when the bytes keep arriving damaged, whatever else happened meanwhile", async () => {
    const { clock, store, answers } = setUp();
    const outage = Array.from({ length: 20 }, () => error("unreachable"));
    const healed = answers(...outage, error("garbled"), "yes");
    expect(await clock.drive(store.send("part 1", healed.request, never))).toBe("yes");
    const garbled = answers(error("garbled"));
    await expect(clock.drive(store.send("part 1", garbled.request, never))).rejects.toBeInstanceOf(
      StreamFailure,
    );
    expect(garbled.asked()).toBe(LIMITS.garbledAttempts);
  });

  it("D6d: fails its stream when the key is refused for its name again and again, while another works", async () => {
    const { clock, store, answers } = setUp();
    const healed = answers(...Array.from({ length: LIMITS.nameRefusals - 1 }, () => error("name")), "yes");
    expect(await clock.drive(store.send("PutObject", healed.request, never))).toBe("yes");
    const refused = clock.drive(store.send("PutObject", answers(error("name")).request, never));
    await expect(refused).rejects.toMatchObject({ reason: "name_refused" });
  });

  it("that the store rejects is made again without end, and the stream says why it waits", async () => {
    const { clock, store, notified, answers } = setUp();
    const { request } = answers(...Array.from({ length: 40 }, () => error("rejected")), "yes");
    const done = store.ask("CreateMultipartUpload", request, never);
    await clock.advance(60_000);
    const attempts = store.trouble?.attempts ?? 0;
    expect(store.trouble).toEqual({
      for: "store",
      detail: "CreateMultipartUpload: Code: words",
      since: new Date(0).toISOString().replace("1970", "2026"),
      attempts,
    });
    expect([4, 8, 16]).toContain(attempts);
    expect(await clock.drive(done)).toBe("yes");
    expect(new Set(notified)).toEqual(new Set(["CreateMultipartUpload: Code: words"]));
  });

  it("ends with its signal, between two tries", async () => {
    const { clock, store, answers } = setUp();
    const stop = new AbortController();
    const call = store.ask("head", answers(error("rejected")).request, stop.signal);
    const ended = rejectionOf(call);
    await clock.advance(1_000);
    stop.abort(new Error("stop"));
    expect(await ended).toHaveProperty("message", "stop");
  });

  it("passes on what is no trouble of the store", async () => {
    const { store } = setUp();
    const bug = (): Promise<never> => Promise.reject(new TypeError("a bug"));
    await expect(store.ask("head", bug, never)).rejects.toBeInstanceOf(TypeError);
  });
});

it("D4c: to a bucket that is not ours fails the stream at once", async () => {
  const { store, answers } = setUp();
  const { request, asked } = answers(error("not_ours"));
  const failure = await rejectionOf(store.send("part 1", request, never));
  expect(failure).toBeInstanceOf(StreamFailure);
  expect(failure).toMatchObject({ reason: "access_denied", message: "words" });
  expect(asked()).toBe(1);
});

describe("a request that fails while the bucket answers", () => {
  /** Streams of one worker, and how often the worker's store changed between well and not. */
  function worker() {
    const clock = new ManualClock();
    const random = (): number => 0.5;
    let changes = 0;
    const change = (): void => void (changes += 1);
    let reason: string | undefined;
    const observer = {
      ...SILENT,
      storeTrouble: (now: string) => {
        if (reason === undefined) change();
        reason = now;
      },
      storeRecovered: () => {
        change();
        reason = undefined;
      },
    };
    const gate = new StoreGate({ clock, observer, random });
    const notified: (string | null | undefined)[] = [];
    const update = async ({ patch }: { patch: { waiting_for?: string | null } }): Promise<void> =>
      void notified.push(patch.waiting_for);
    const stream = (id: string) =>
      new PatientStore(
        { gate, clock, observer, random },
        { record: newStream({ id: streamId(id) }), update },
      );
    /** Each takes 10 ms, so that time passes also where no pause is made. */
    const counted = (how: () => Promise<string>) => {
      let asked = 0;
      return {
        request: async () => {
          asked += 1;
          await clock.sleep(10);
          return await how();
        },
        asked: () => asked,
      };
    };
    const failing = () => counted(() => Promise.reject(error("failing")));
    return { clock, gate, stream, counted, failing, notified, changes: () => changes };
  }
  const yes = () => Promise.resolve("yes");

  it("P9: of one stream alone is made again at longer and longer pauses, and the stream says why", async () => {
    const { clock, gate, stream, failing, notified } = worker();
    const { request, asked } = failing();
    const stop = new AbortController();
    const ended = rejectionOf(stream("a").send("part 1", request, stop.signal));
    await clock.advance(600_000);
    // Half of the backoff, which reaches 30 s with the ninth failure.
    expect(asked()).toBeGreaterThan(40);
    expect(asked()).toBeLessThan(50);
    expect(gate.state.blocked).toBe(false);
    expect(notified.length, "at each power of two").toBeLessThan(8);
    stop.abort(new Error("stop"));
    await ended;
  });

  it("P9: of a stream known to fail alone has its pauses also while the gate is closed", async () => {
    const { clock, gate, stream, failing } = worker();
    const odd = stream("odd");
    const { request, asked } = failing();
    const stop = new AbortController();
    const ended = rejectionOf(odd.send("part 1", request, stop.signal));
    await clock.advance(10);
    await stream("well").send("part 1", yes, never);
    for (const by of ["b", "c"]) {
      await rejectionOf(gate.run(() => Promise.reject(error("failing")), never, { by, kind: "sends" }));
    }
    expect(gate.state.blocked).toBe(true);
    await clock.advance(10_000);
    expect(gate.state.blocked).toBe(true);
    expect(asked()).toBeGreaterThan(3);
    expect(asked()).toBeLessThanOrEqual(8);
    stop.abort(new Error("stop"));
    await ended;
  });

  it("P11: with every part of two streams is the worker's trouble, without a break, though all else is answered", async () => {
    const { clock, gate, stream, counted, failing, changes } = worker();
    const parts = failing();
    const stop = new AbortController();
    const ended = ["a", "b"].map((id) => rejectionOf(stream(id).send("part 1", parts.request, stop.signal)));
    const looks = counted(yes);
    const lookOn = async (store: PatientStore): Promise<void> => {
      while (!stop.signal.aborted) {
        await store.ask("HeadObject", looks.request, stop.signal);
        await clock.sleep(50, stop.signal);
      }
    };
    const looking = ["c", "d"].map((id) => lookOn(stream(id)));
    await clock.advance(60_000);
    expect(gate.state.blocked).toBe(true);
    expect(changes()).toBe(1);
    expect(parts.asked()).toBeLessThan(30);
    expect(looks.asked()).toBeGreaterThan(100);
    stop.abort(new Error("stop"));
    await Promise.all(ended);
    await Promise.allSettled(looking);
    await clock.drive(stream("e").ask("HeadObject", yes, never));
    expect(gate.state.blocked).toBe(false);
  });

  it("P11: and was carried out all the same, as its look-up finds, is one that was answered", async () => {
    const { clock, stream, changes } = worker();
    const lost = () => Promise.reject(error("failing", true));
    const send = (id: string) => {
      const store = stream(id);
      const lookUp = () => store.ask("ListParts", yes, never);
      return store.send("part 1", lost, never, lookUp);
    };
    for (let n = 0; n < 10; n += 1) await clock.drive(send(n % 2 === 0 ? "a" : "b"));
    expect(changes()).toBe(0);
  });
});
