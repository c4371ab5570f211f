/** The lease of a worker id, on a real Redis: one process holds it, a dead one's is taken, a late one knows by itself. */
import { CheckpointError, LIMITS } from "@sluice/core";
import { ManualClock } from "@sluice/core/testing";
import {
  WorkerRegistry,
  createClient,
  keysWith,
  parseRedisUrl,
  whenReady,
  type RedisClient,
} from "@sluice/redis-schema";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { startRedis, type TestRedis } from "@sluice/redis-schema/testing";
import { LeaseHeldError, LeaseKeeper } from "../src/takeover/lease-keeper.ts";
import { isKnownDead, ownIdentity } from "../src/takeover/process-identity.ts";

let server: TestRedis;
let redis: RedisClient;
beforeAll(async () => {
  server = await startRedis();
  const url = parseRedisUrl(server.url);
  if (!url.ok) throw new Error(url.detail);
  redis = createClient(url.target, { name: "lease" }, () => undefined);
  await whenReady(redis);
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});
beforeEach(async () => void (await redis.flushall()));

function keeper(clock: ManualClock, identity = ownIdentity(), registry?: WorkerRegistry) {
  const onLost = vi.fn<(detail: string) => void>();
  const lease = new LeaseKeeper({
    registry: registry ?? new WorkerRegistry({ redis, keys: keysWith(""), clock }),
    workerId: "w",
    identity,
    isGone: (other) => isKnownDead(other, identity),
    clock,
    describe: () => ({
      version: "0",
      source: "s",
      watches: [],
      state: "ok",
      lag_bytes: 0,
      in_flight_bytes: 0,
      started_at_utc: "2026-01-01T00:00:00.000Z",
    }),
    onLost,
    log: { info: () => undefined, warn: () => undefined },
  });
  return { lease, onLost };
}

const never = new AbortController().signal;
/** A process elsewhere, of which nothing can be known. */
const elsewhere = () => ({ ...ownIdentity(), boot_id: "another" });

test("R9 a lease is fresh after it was taken, and not when it was not renewed for too long by either clock", async () => {
  const clock = new ManualClock();
  const { lease } = keeper(clock);
  await lease.start(never);
  expect(lease.fresh()).toBe(true);
  clock.stepWall(-3_600_000);
  expect(lease.fresh(), "a clock that was set back says nothing").toBe(true);
  clock.stepWall(2 * 3_600_000);
  expect(lease.fresh(), "the machine may have been suspended, which the monotonic clock does not count").toBe(
    false,
  );
  await lease.renew();
  expect(lease.fresh()).toBe(true);
  server.freeze();
  await clock.advance(LIMITS.leaseSelfFenceMs);
  expect(lease.fresh()).toBe(false);
  server.thaw();
  await lease[Symbol.asyncDispose]();
});

test("the lease of a process of this host that is gone is taken at once", async () => {
  const clock = new ManualClock();
  const dead = keeper(clock, { ...ownIdentity(), process_started: "1" });
  await dead.lease.start(never);
  const { lease } = keeper(clock);
  await lease.start(never);
  expect(lease.fresh()).toBe(true);
  await lease[Symbol.asyncDispose]();
});

test("a lease that is renewed meanwhile refuses the start, with the remedy", async () => {
  const clock = new ManualClock();
  const holder = keeper(clock, elsewhere());
  await holder.lease.start(never);
  const started = keeper(clock).lease.start(never);
  const refused = started.catch((error: unknown) => error);
  await vi.waitFor(() => expect(clock.sleeping).toBe(2));
  clock.stepWall(1_000);
  await holder.lease.renew();
  await clock.advance(1_000);
  expect(await refused).toBeInstanceOf(LeaseHeldError);
  await holder.lease[Symbol.asyncDispose]();
});

test("a lease of a process that cannot be seen is waited out", async () => {
  const clock = new ManualClock();
  const holder = keeper(clock, elsewhere());
  await holder.lease.start(never);
  const { lease } = keeper(clock);
  const started = lease.start(never);
  await vi.waitFor(() => expect(clock.sleeping).toBe(2));
  await redis.del(keysWith("").worker("w"));
  await clock.advance(1_000);
  await started;
  expect(lease.fresh()).toBe(true);
  await lease[Symbol.asyncDispose]();
});

test("a process whose id another one took is told, and completes nothing more", async () => {
  const clock = new ManualClock();
  const { lease, onLost } = keeper(clock);
  await lease.start(never);
  await redis.hset(keysWith("").worker("w"), "nonce", "another");
  await clock.advance(LIMITS.leaseRenewEveryMs);
  await vi.waitFor(() => expect(onLost).toHaveBeenCalledOnce());
  expect(lease.fresh()).toBe(false);
  await lease[Symbol.asyncDispose]();
  expect(await redis.hget(keysWith("").worker("w"), "nonce"), "the other's lease stays").toBe("another");
});

test("renewals that fail are made again, without end", async () => {
  const clock = new ManualClock();
  const registry = new WorkerRegistry({ redis, keys: keysWith(""), clock });
  const { lease } = keeper(clock, ownIdentity(), registry);
  await lease.start(never);
  const renew = vi.spyOn(registry, "renew").mockRejectedValue(new CheckpointError("away"));
  for (let round = 1; round <= 5; round += 1) {
    await vi.waitFor(() => expect(clock.sleeping).toBe(1));
    await clock.advance(LIMITS.leaseRenewEveryMs);
    await vi.waitFor(() => expect(renew).toHaveBeenCalledTimes(round));
  }
  expect(lease.fresh()).toBe(false);
  renew.mockRestore();
  await vi.waitFor(() => expect(clock.sleeping).toBe(1));
  await clock.advance(LIMITS.leaseRenewEveryMs);
  await vi.waitFor(() => expect(lease.fresh()).toBe(true));
  await lease[Symbol.asyncDispose]();
});
