/** Webhooks of one worker: it delivers when it is its turn, and tells of its own streams that stall. */
import type { Config } from "@sluice/config";
import { Outbox, type SchemaContext, type WorkerIdentity } from "@sluice/redis-schema";
import type { Registry } from "prom-client";
import { webhookMetrics } from "../observe/webhook-metrics.ts";
import type { Service } from "../start/service.ts";
import { repeat } from "../streams/repeat.ts";
import type { SupervisorLog } from "../streams/supervisor.ts";
import { systemClock } from "../system-clock.ts";
import { Deliverer } from "./deliverer.ts";
import type { Receiver } from "./post.ts";
import { keyOf } from "./sign.ts";
import { StallWatch, type OwnedStreamLag } from "./stall-watch.ts";

export interface WebhookInputs {
  config: Config;
  context: SchemaContext;
  identity: WorkerIdentity;
  held(): Iterable<OwnedStreamLag>;
  registry: Registry;
  log: SupervisorLog;
  onFault(error: unknown): void;
}

const LOOK_FOR_STALLS_MS = 2_000;

/** Undefined: no address is configured, nobody is told. */
export function receiverOf({ webhookUrl, webhookSecret, webhookAllowHost }: Config): Receiver | undefined {
  if (webhookUrl === undefined || webhookSecret === undefined) return undefined;
  return { url: webhookUrl, key: keyOf(webhookSecret), allowedHost: webhookAllowHost?.toLowerCase() };
}

export class Webhooks implements Service {
  readonly name = "webhooks";
  readonly #inputs: WebhookInputs;
  readonly #stop = new AbortController();
  #deliverer: Deliverer | undefined;

  constructor(inputs: WebhookInputs) {
    this.#inputs = inputs;
  }

  async start(): Promise<void> {
    const { config, context, identity, held, registry, log, onFault } = this.#inputs;
    const receiver = receiverOf(config);
    if (!receiver) return;
    const outbox = new Outbox(context, identity);
    this.#deliverer = new Deliverer({
      outbox,
      receiver,
      maxAgeMs: config.webhookMaxAgeMs,
      clock: systemClock,
      random: Math.random,
      tally: webhookMetrics(registry, () => outbox.waiting()),
      log,
    });
    this.#deliverer.start(onFault);
    if (!config.webhookEvents.includes("stalled")) return;
    const stalls = new StallWatch({ held, outbox, stallAfterMs: config.stallAfterMs, clock: systemClock });
    const { signal } = this.#stop;
    const everyMs = LOOK_FOR_STALLS_MS;
    repeat({
      everyMs,
      work: () => stalls.look(),
      ended: () => signal.aborted,
      clock: systemClock,
      signal,
      log,
    }).catch(onFault);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#deliverer?.[Symbol.asyncDispose]();
  }
}
