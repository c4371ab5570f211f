/** A store that loses one upload after the other, or says so: bytes are not sent without end, nor without a pause. */
import { expect, it } from "vitest";
import { runToEnd, streams, testWorld } from "../../test/test-world.ts";
import { LIMITS } from "../limits.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import { parseWaiting } from "../stream/waiting.ts";
import { PART, sampleBytes } from "../testing/test-values.ts";

/** The upload is gone when it is about to be completed, so many times. */
function losing(times: number) {
  const world = testWorld();
  const path = world.path("a.bin");
  world.disk.append(path, sampleBytes(PART + 9, 1));
  world.disk.mark(path);
  let lost = 0;
  const onFailpoint = (name: string): void => {
    if (name !== "completing" || lost >= times) return;
    lost += 1;
    for (const { uploadId } of world.store.uploads()) world.store.dropUpload(uploadId);
  };
  return { world, onFailpoint, lost: () => lost };
}

it("an upload that is lost once goes up again at once", async () => {
  const { world, onFailpoint } = losing(1);
  await runToEnd(world, { onFailpoint });
  expect(streams(world)[0]?.status).toBe("completed");
  expect(world.clock.monotonicMs()).toBeLessThan(LIMITS.retryFirstMs);
});

it("one that is lost again and again waits longer each time, and completes once the store keeps it", async () => {
  const { world, onFailpoint } = losing(LIMITS.uploadsLost - 1);
  await runToEnd(world, { onFailpoint });
  expect(streams(world)[0]?.status).toBe("completed");
  expect(world.clock.monotonicMs()).toBeGreaterThan(LIMITS.retryFirstMs * 2 ** (LIMITS.uploadsLost - 4));
});

it("a store that completes none fails the stream, with what to do", async () => {
  const { world, onFailpoint, lost } = losing(Number.POSITIVE_INFINITY);
  await runToEnd(world, { onFailpoint });
  expect(streams(world)[0]).toMatchObject({
    status: "failed_verify_mismatch",
    failure_detail: expect.stringContaining(`${LIMITS.uploadsLost} times in a row`),
  });
  expect(lost()).toBe(LIMITS.uploadsLost);
});

it("UploadPart that denies an upload which ListParts shows is waited for, says so, and heals", async () => {
  const world = testWorld();
  const path = world.path("a.bin");
  world.disk.append(path, sampleBytes(PART + 9, 1));
  world.disk.mark(path);
  let denied = 0;
  let denies = true;
  const store = new Proxy(world.store as ObjectStore, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property, target);
      if (property === "uploadPart" && denies)
        return () => {
          denied += 1;
          return Promise.resolve({ kind: "gone" });
        };
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
  const worker = world.worker({ store });
  await worker.scan();
  await world.clock.advance(30 * 60_000);
  const [record] = streams(world);
  expect(parseWaiting(record?.waiting_for)).toMatchObject({ for: "store" });
  // Some two a minute in the end.
  expect(denied).toBeLessThan(200);
  expect(world.store.uploads().length).toBeLessThan(2);
  denies = false;
  await world.clock.until(() => worker.busy === 0);
  expect(streams(world)[0]?.status).toBe("completed");
});

it("parts that ListParts shows are kept, however often UploadPart denies their upload", async () => {
  const world = testWorld();
  const path = world.path("a.bin");
  world.disk.append(path, sampleBytes(2 * PART + 9, 1));
  world.disk.mark(path);
  let denies = true;
  const store = new Proxy(world.store as ObjectStore, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property, target);
      if (property !== "uploadPart")
        return typeof value === "function" ? (value.bind(target) as unknown) : value;
      return async (...[ref, number, request]: Parameters<ObjectStore["uploadPart"]>) =>
        denies && number > 1 ? { kind: "gone" } : await target.uploadPart(ref, number, request);
    },
  });
  const worker = world.worker({ store });
  await worker.scan();
  await world.clock.advance(60 * 60_000);
  expect(streams(world)[0]).toMatchObject({ next_part: 2 });
  const [upload] = world.store.uploads();
  denies = false;
  await world.clock.until(() => worker.busy === 0);
  expect(streams(world)[0]).toMatchObject({ status: "completed", s3_upload_id: upload?.uploadId });
});
