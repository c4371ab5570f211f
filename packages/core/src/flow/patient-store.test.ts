import { describe, expect, it } from "vitest";
import { StoreError, StreamFailure, type StoreTrouble } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { SILENT } from "../ports/observer.ts";
import { parseWaiting } from "../stream/waiting.ts";
import { rejectionOf } from "../testing/rejection.ts";
import { ManualClock } from "../testing/manual-clock.ts";
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
    expect(await clock.drive(store.call("part 1", request, never))).toBe("yes");
    expect(asked()).toBe(301);
    expect(clock.monotonicMs()).toBeGreaterThan(3_600_000);
  });

  it("of unknown outcome is looked up before it is made again", async () => {
    const { clock, gate, store, answers } = setUp();
    const { request, asked } = answers(error("unreachable", true), "again");
    const lookUp = (): Promise<string> => store.call("ListParts", () => Promise.resolve("found"), never);
    expect(await clock.drive(store.call("part 1", request, never, lookUp))).toBe("found");
    expect(asked()).toBe(1);
    expect(gate.state.blocked).toBe(false);
  });

  it("P11: that fails again and again is the store's trouble, at longer and longer pauses, though look-ups are answered", async () => {
    const { clock, gate, store, answers } = setUp();
    const failures = Array.from({ length: 12 }, () => error("unreachable", true));
    const { request } = answers(...failures, "yes");
    const blocked: boolean[] = [];
    const lookUp = async (): Promise<undefined> => {
      await store.call("ListParts", () => Promise.resolve("no such part"), never);
      blocked.push(gate.state.blocked);
    };
    expect(await clock.drive(store.call("part 1", request, never, lookUp))).toBe("yes");
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
    expect(await clock.drive(store.call("part 1", request, never, lookUp))).toBe("again");
    expect(lookedUp).toBe(1);
  });

  it("fails its stream when the key alone stays denied, and says so from the first refusal", async () => {
    const { clock, store, notified, answers } = setUp();
    const failure = clock.drive(store.call("PutObject", answers(error("denied")).request, never));
    await expect(failure).rejects.toMatchObject({ reason: "access_denied" });
    expect(clock.monotonicMs()).toBeGreaterThanOrEqual(LIMITS.deniedKeyMs);
    expect(notified).toEqual(["PutObject: Code: words"]);
  });

  it("does not add up refusals that healed in between", async () => {
    const { clock, store, answers } = setUp();
    const { request } = answers(error("denied"), "yes");
    await clock.drive(store.call("head", request, never));
    await clock.advance(LIMITS.deniedKeyMs);
    const again = answers(error("denied"), "yes");
    expect(await clock.drive(store.call("head", again.request, never))).toBe("yes");
    expect(store.trouble).toBeUndefined();
  });

  it("fails its stream when the bytes keep arriving damaged, whatever else happened meanwhile", async () => {
    const { clock, store, answers } = setUp();
    const outage = Array.from({ length: 20 }, () => error("unreachable"));
    const healed = answers(...outage, error("garbled"), "yes");
    expect(await clock.drive(store.call("part 1", healed.request, never))).toBe("yes");
    const garbled = answers(error("garbled"));
    await expect(clock.drive(store.call("part 1", garbled.request, never))).rejects.toBeInstanceOf(
      StreamFailure,
    );
    expect(garbled.asked()).toBe(LIMITS.garbledAttempts);
  });

  it("D6d: fails its stream when the key is refused for its name again and again, while another works", async () => {
    const { clock, store, answers } = setUp();
    const healed = answers(...Array.from({ length: LIMITS.nameRefusals - 1 }, () => error("name")), "yes");
    expect(await clock.drive(store.call("PutObject", healed.request, never))).toBe("yes");
    const refused = clock.drive(store.call("PutObject", answers(error("name")).request, never));
    await expect(refused).rejects.toMatchObject({ reason: "name_refused" });
  });

  it("that the store rejects is made again without end, and the stream says why it waits", async () => {
    const { clock, store, notified, answers } = setUp();
    const { request } = answers(...Array.from({ length: 40 }, () => error("rejected")), "yes");
    const done = store.call("CreateMultipartUpload", request, never);
    await clock.advance(60_000);
    expect(store.trouble).toBe("CreateMultipartUpload: Code: words");
    expect(await clock.drive(done)).toBe("yes");
    expect(notified).toEqual(["CreateMultipartUpload: Code: words"]);
  });

  it("ends with its signal, between two tries", async () => {
    const { clock, store, answers } = setUp();
    const stop = new AbortController();
    const call = store.call("head", answers(error("rejected")).request, stop.signal);
    const ended = rejectionOf(call);
    await clock.advance(1_000);
    stop.abort(new Error("stop"));
    expect(await ended).toHaveProperty("message", "stop");
  });

  it("passes on what is no trouble of the store", async () => {
    const { store } = setUp();
    const bug = (): Promise<never> => Promise.reject(new TypeError("a bug"));
    await expect(store.call("head", bug, never)).rejects.toBeInstanceOf(TypeError);
  });
});

it("D4c: to a bucket that is not ours fails the stream at once", async () => {
  const { store, answers } = setUp();
  const { request, asked } = answers(error("not_ours"));
  const failure = await rejectionOf(store.call("part 1", request, never));
  expect(failure).toBeInstanceOf(StreamFailure);
  expect(failure).toMatchObject({ reason: "access_denied", message: "words" });
  expect(asked()).toBe(1);
});
