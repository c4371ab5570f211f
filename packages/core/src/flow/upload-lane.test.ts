import { describe, expect, it } from "vitest";
import { InvariantError } from "../assert.ts";
import { StoppedError } from "../errors.ts";
import { rejectionOf } from "../testing/rejection.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import { UploadLane, type Slot } from "./upload-lane.ts";

const never = new AbortController().signal;
const clock = new ManualClock();

function lane(slots: number) {
  const allocated: Uint8Array[] = [];
  const made = new UploadLane({
    slots,
    bufferBytes: 8,
    allocate: (bytes) => {
      const buffer = new Uint8Array(bytes);
      allocated.push(buffer);
      return buffer;
    },
  });
  return { lane: made, allocated };
}

describe("the lane", () => {
  it("P9: gives out no more slots than it has, and no more buffers", async () => {
    const { lane: one, allocated } = lane(2);
    const first = await one.enter("a", never);
    await one.enter("a", never);
    let third: Slot | undefined;
    void one.enter("a", never).then((slot) => (third = slot));
    await clock.settle();
    expect([third, one.busy]).toEqual([undefined, 2]);
    first.release();
    await clock.settle();
    expect(third?.buffer).toBe(first.buffer);
    expect(allocated).toHaveLength(2);
  });

  it("F30: gives streams fair turns, however many parts one of them has waiting", async () => {
    const { lane: one } = lane(1);
    const order: string[] = [];
    const slot = await one.enter("greedy", never);
    const enter = async (stream: string): Promise<void> => {
      const mine = await one.enter(stream, never);
      order.push(stream);
      mine.release();
    };
    const all = [enter("greedy"), enter("greedy"), enter("greedy"), enter("b"), enter("c"), enter("b")];
    slot.release();
    await Promise.all(all);
    expect(order).toEqual(["greedy", "b", "c", "greedy", "b", "greedy"]);
  });

  it("refuses who waits when it closes, and who comes later; slots in use stay", async () => {
    const { lane: one } = lane(1);
    const slot = await one.enter("a", never);
    const waiting = rejectionOf(one.enter("b", never));
    one.close();
    expect(await waiting).toBeInstanceOf(StoppedError);
    await expect(one.enter("c", never)).rejects.toThrow(StoppedError);
    expect(one.busy).toBe(1);
    slot.release();
    expect(one.busy).toBe(0);
  });

  it("forgets a stream that gave up waiting, and passes the slot to the next", async () => {
    const { lane: one } = lane(1);
    const slot = await one.enter("a", never);
    const stop = new AbortController();
    const gaveUp = rejectionOf(one.enter("b", stop.signal));
    const next = one.enter("c", never);
    stop.abort(new Error("enough"));
    expect(await gaveUp).toHaveProperty("message", "enough");
    slot.release();
    (await next).release();
    expect(one.busy).toBe(0);
    await expect(one.enter("d", stop.signal)).rejects.toThrow("enough");
  });

  it("takes a slot back once", async () => {
    const { lane: one } = lane(1);
    const slot = await one.enter("a", never);
    slot.release();
    expect(() => slot.release()).toThrow(InvariantError);
  });
});
