/** `sluice_webhook*`: messages delivered, failed and waiting. Only if webhooks are configured. */
import type { Clock } from "@sluice/core";
import { Counter, Gauge, type Registry } from "prom-client";
import type { DeliveryTally } from "@sluice/webhooks/deliverer";
import { soon } from "./soon.ts";

export function webhookMetrics(
  registry: Registry,
  clock: Pick<Clock, "sleep">,
  waiting: () => Promise<number>,
): DeliveryTally {
  const registers = [registry];
  const delivered = new Counter({
    name: "sluice_webhooks_delivered_total",
    help: "Messages the receiver accepted.",
    labelNames: ["event"],
    registers,
  });
  const failed = new Counter({
    name: "sluice_webhook_attempts_failed_total",
    help: "Requests that the receiver did not accept; they are retried.",
    labelNames: ["reason"],
    registers,
  });
  const dropped = new Counter({
    name: "sluice_webhooks_dropped_total",
    help: "Messages that were never delivered: too old, or too many.",
    labelNames: ["reason"],
    registers,
  });
  new Gauge({
    name: "sluice_webhooks_pending",
    help: "Messages of all workers that wait for delivery.",
    registers,
    async collect() {
      const count = await soon(waiting(), clock);
      if (count === undefined) this.remove();
      else this.set(count);
    },
  });
  return {
    delivered: (event) => delivered.inc({ event }),
    failed: (reason) => failed.inc({ reason }),
    dropped: (reason, count) => dropped.inc({ reason }, count),
  };
}
