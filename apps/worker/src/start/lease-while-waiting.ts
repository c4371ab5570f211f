/**
 * A start that has to wait for the store holds the worker's lease meanwhile: the dashboard, `doctor` and other workers see
 * that this worker is there, what it waits for and since when. Of its files nothing is known yet, so it says no lag. By
 * that others know that it holds no stream, and take up those of its predecessor. The nonce is its own, so that nothing
 * the worker holds later is taken for idle.
 */
import type { Config } from "@sluice/config";
import type { StoreGate } from "@sluice/core";
import { WorkerRegistry, type SchemaContext } from "@sluice/redis-schema";
import type { Log } from "../observe/log.ts";
import { LeaseKeeper } from "../takeover/lease-keeper.ts";
import type { ProcessIdentity } from "../takeover/process-identity.ts";
import { particulars, StateSince, troublesOf } from "../observe/worker-figures.ts";
import { VERSION } from "../version.ts";
import { storeHash } from "./connect-store.ts";
import type { WorkerPorts } from "./worker-ports.ts";

const NOT_LOOKED_AT = "its watches are not looked at before that is over, so its lag is not known";

export function leaseWhileWaiting(
  { config, log, onFatal }: { config: Config; log: Log; onFatal(reason: string): void },
  identity: ProcessIdentity,
  context: SchemaContext,
  gate: StoreGate,
  { clock, newId, startedMs, isGone }: Pick<WorkerPorts, "clock" | "newId" | "startedMs" | "isGone">,
): LeaseKeeper {
  const { source, watches, workerId } = config;
  const self = particulars({
    version: VERSION,
    source,
    watches,
    storeHash: storeHash(config),
    bucket: config.s3Bucket,
    startedMs,
  });
  const since = new StateSince(clock);
  const keeper: LeaseKeeper = new LeaseKeeper({
    registry: new WorkerRegistry(context),
    workerId,
    identity: { ...identity, nonce: newId() },
    isGone,
    clock,
    describe: () => ({
      ...self,
      state: "blocked",
      state_detail: [...troublesOf(gate, keeper.trouble, []), NOT_LOOKED_AT].join("; "),
      state_since_utc: since.of("blocked"),
      in_flight_bytes: 0,
    }),
    onLost: onFatal,
    log,
  });
  return keeper;
}
