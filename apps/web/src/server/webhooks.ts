/**
 * While no worker is alive, the dashboard delivers webhooks, among them that the last worker was lost. A worker delivers as
 * soon as one is back: it alone counts messages in its metrics.
 */
import { randomUUID } from "node:crypto";
import { systemClock } from "@sluice/control/system-clock";
import { CheckpointError } from "@sluice/core/errors";
import type { Deliveries } from "@sluice/redis-schema/deliveries";
import { Outbox } from "@sluice/redis-schema/outbox";
import { Deliverer, type DeliveryTally } from "@sluice/webhooks/deliverer";
import { EndingWatch } from "@sluice/webhooks/ending-watch";
import { post } from "@sluice/webhooks/post";
import { checkWorkers, type WorkerWatchDeps } from "@sluice/webhooks/worker-watch";
import { log, type Hub } from "./hub.ts";
import type { WebSettings } from "./settings.ts";

const LOOK_EVERY_MS = 5_000;

type WebhookSettings = NonNullable<WebSettings["webhooks"]>;

/** Until the server drains. Rejects only for a bug. */
export async function watchWorkers(hub: Hub, settings: WebhookSettings): Promise<void> {
  const { signal } = hub.drain;
  const outbox = new Outbox(hub.context, { workerId: "dashboard", nonce: randomUUID() });
  const endings = new EndingWatch({ reader: hub.reader, orphans: hub.orphans, clock: systemClock });
  let deliverer: Deliverer | undefined;
  while (!signal.aborted) {
    try {
      const workers = await hub.workersNow();
      const isWorkerAlive = workers.some(({ lease }) => lease.kind === "ok");
      if (isWorkerAlive) {
        await deliverer?.[Symbol.asyncDispose]();
        deliverer = undefined;
      } else {
        deliverer ??= startDeliverer(outbox, hub.deliveries, settings);
        await checkWorkers(watchDeps(hub, outbox, settings, deliverer, endings));
      }
    } catch (error) {
      // The next look comes anyway, and the page says that Redis is unavailable.
      if (!(error instanceof CheckpointError)) throw error;
    }
    await systemClock.sleep(LOOK_EVERY_MS, signal);
  }
  await deliverer?.[Symbol.asyncDispose]();
}

function startDeliverer(
  outbox: Outbox,
  deliveries: Deliveries,
  { receiver, maxAgeMs }: WebhookSettings,
): Deliverer {
  const deliverer = new Deliverer({
    outbox,
    deliveries,
    post: (message, signal) => post(receiver, message, signal),
    maxAgeMs,
    clock: systemClock,
    random: Math.random,
    tally: LOGGED,
    log: {
      info: (fields, message) => log("info", message, { ...fields }),
      warn: (fields, message) => log("warn", message, { ...fields }),
    },
  });
  deliverer.start((error) => {
    log("error", "webhooks ended", { error: error instanceof Error ? error.stack : String(error) });
    process.exit(1);
  });
  return deliverer;
}

function watchDeps(
  { workers, watches }: Hub,
  outbox: Outbox,
  { events }: WebhookSettings,
  deliverer: Deliverer,
  endings: EndingWatch,
): WorkerWatchDeps {
  return {
    workers,
    watches,
    outbox,
    events,
    endings,
    isOurTurn: () => deliverer.hasTurn,
    clock: systemClock,
  };
}

/** The dashboard has no metrics; what it could not deliver is in its log. */
const LOGGED: DeliveryTally = {
  delivered: (event) => log("info", "webhook delivered: no worker is alive", { event }),
  failed: () => undefined,
  dropped: (reason, count) => log("warn", "webhooks dropped", { reason, count }),
};
