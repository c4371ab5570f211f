/** One descriptor for the parts that are in flight together, and none when there are none. */
import { expect, it } from "vitest";
import type { OpenFile } from "../ports/file-source.ts";
import { SharedFile } from "./open-file.ts";

function opener() {
  const counts = { opened: 0, closed: 0 };
  const open = async (): Promise<OpenFile> => {
    counts.opened += 1;
    await Promise.resolve();
    return {
      openedFacts: { size: 0, inode: "1", device: "1", mtimeNs: "0", ctimeNs: "0" },
      facts: () => Promise.reject(new Error("not asked for here")),
      read: () => Promise.resolve(0),
      [Symbol.asyncDispose]: () => Promise.resolve(void (counts.closed += 1)),
    };
  };
  return { counts, open };
}

it("holders at the same time share one descriptor, closed when the last lets go", async () => {
  const { counts, open } = opener();
  const shared = new SharedFile();
  const [first, second] = await Promise.all([shared.hold(open), shared.hold(open)]);
  expect(first?.file).toBe(second?.file);
  await first?.[Symbol.asyncDispose]();
  expect(counts).toEqual({ opened: 1, closed: 0 });
  await second?.[Symbol.asyncDispose]();
  expect(counts).toEqual({ opened: 1, closed: 1 });
});

it("after the last let go the name is opened anew", async () => {
  const { counts, open } = opener();
  const shared = new SharedFile();
  for (let n = 0; n < 2; n += 1) await (await shared.hold(open))?.[Symbol.asyncDispose]();
  expect(counts).toEqual({ opened: 2, closed: 2 });
});

it("a name that cannot be opened is tried again by the next holder", async () => {
  const { counts, open } = opener();
  const shared = new SharedFile();
  await expect(shared.hold(() => Promise.reject(new Error("EIO")))).rejects.toThrow("EIO");
  expect(await shared.hold(() => Promise.resolve(undefined))).toBeUndefined();
  await (await shared.hold(open))?.[Symbol.asyncDispose]();
  expect(counts).toEqual({ opened: 1, closed: 1 });
});
