import { expect, test } from "vitest";
import { GroupSync } from "./group-sync.ts";

/** A sync whose end the test decides. */
function controlled() {
  const syncs: { resolve: () => void; reject: (error: Error) => void }[] = [];
  const group = new GroupSync(() => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    syncs.push({ resolve, reject });
    return promise;
  });
  return { syncs, group };
}

test("without a write there is no sync", async () => {
  const { syncs, group } = controlled();
  await group.durable();
  expect(syncs.length).toBe(0);
});

test("a write during a sync waits for the next one, and all that wait share it", async () => {
  const { syncs, group } = controlled();
  const done: string[] = [];
  const write = (name: string): Promise<void> => {
    group.written();
    return group.durable().then(() => void done.push(name));
  };
  const first = write("first");
  await expect.poll(() => syncs.length).toBe(1);
  const rest = [write("second"), write("third")];
  syncs[0]?.resolve();
  await first;
  expect(done).toEqual(["first"]);
  await expect.poll(() => syncs.length).toBe(2);
  syncs[1]?.resolve();
  await Promise.all(rest);
  expect([done, syncs.length]).toEqual([["first", "second", "third"], 2]);
  await group.durable();
  expect(syncs.length).toBe(2);
});

test("after a failed sync nothing is called durable again", async () => {
  const { syncs, group } = controlled();
  group.written();
  const first = group.durable();
  await expect.poll(() => syncs.length).toBe(1);
  syncs[0]?.reject(new Error("EIO"));
  await expect(first).rejects.toThrow("EIO");
  await expect(group.durable()).rejects.toThrow("EIO");
  expect(syncs.length).toBe(1);
});
