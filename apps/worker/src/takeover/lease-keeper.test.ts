import { CheckpointError, LIMITS } from "@sluice/core";
import { ManualClock } from "@sluice/core/testing";
import type { LeaseOutcome, WorkerRecord, WorkerRegistry } from "@sluice/redis-schema";
import { expect, it, vi } from "vitest";
import { LeaseKeeper, leaseIsFresh } from "./lease-keeper.ts";
import type { ProcessIdentity } from "./process-identity.ts";

const { leaseSelfFenceMs: fence, leaseTtlMs: ttl } = LIMITS;

it.each([
  ["just renewed", 0, 0, true],
  ["shortly before the limit", fence - 1, fence - 1, true],
  ["not renewed for too long", fence, fence, false],
  ["the machine was suspended: the monotonic clock stood still", 200, ttl + 1, false],
  ["the wall clock was set forward: asked again after the next renewal", 200, 3_600_000, false],
  ["the wall clock was set back", 200, -3_600_000, true],
  ["the wall clock was set back while the lease ran out", ttl, -3_600_000, false],
  ["never renewed", Infinity, Infinity, false],
])("D7k: whether a lease is fresh: %s", (_case, monotonicMs, wallMs, fresh) => {
  expect(leaseIsFresh({ monotonicMs, wallMs })).toBe(fresh);
});

const PREDECESSOR = { nonce: "before", host: "h", pid: 7 } as WorkerRecord;
const taken: LeaseOutcome = { kind: "taken", renewals: 1 };
const held: LeaseOutcome = { kind: "held", lease: { kind: "ok", value: PREDECESSOR } };

/** A worker that holds its lease when Redis comes back from before it took that. */
async function afterRedisCameBack(predecessorIsGone: boolean) {
  const clock = new ManualClock();
  const answers = [taken, held, taken];
  const renew = vi.fn<WorkerRegistry["renew"]>(() => Promise.resolve(answers.shift() ?? held));
  const keeper = new LeaseKeeper({
    // Only what is asked here.
    registry: { renew } as unknown as WorkerRegistry,
    workerId: "w1",
    identity: { nonce: "own" } as ProcessIdentity,
    isGone: ({ pid }) => predecessorIsGone && pid === PREDECESSOR.pid,
    clock,
    describe: () => ({}) as ReturnType<ConstructorParameters<typeof LeaseKeeper>[0]["describe"]>,
    onLost: () => expect.fail("nobody else runs under this id"),
    log: { info: () => undefined, warn: () => undefined },
  });
  const stop = new AbortController();
  await keeper.start(stop.signal);
  stop.abort();
  await clock.settle();
  return { keeper, clock, renew };
}

it("a lease of a process that has ended is taken again when Redis came back with it", async () => {
  const { keeper, clock, renew } = await afterRedisCameBack(true);
  await clock.advance(1_000);
  await keeper.renew();
  expect(renew.mock.calls.at(-1)?.[2]).toEqual(["before"]);
  expect(keeper.fresh()).toBe(true);
  // Meanwhile another worker may have taken its streams.
  expect(keeper.heldSinceMs).toBe(clock.monotonicMs());
});

it("a lease of a process that may be alive is left to it", async () => {
  const { keeper, renew } = await afterRedisCameBack(false);
  await expect(keeper.renew()).rejects.toThrow(CheckpointError);
  expect(renew).toHaveBeenCalledTimes(2);
});
