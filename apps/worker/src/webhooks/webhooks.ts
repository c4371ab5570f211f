/** The webhooks of one worker: delivers when it has the turn, and reports its own streams that stall. */
import type { Config } from "@sluice/config";
import type { Clock } from "@sluice/core";
import { Outbox, type SchemaContext, type WorkerIdentity } from "@sluice/redis-schema";
import type { Registry } from "prom-client";
import { webhookMetrics } from "../observe/webhook-metrics.ts";
import type { Service } from "../start/service.ts";
import { repeat } from "../streams/repeat.ts";
import type { SupervisorLog } from "../streams/supervisor.ts";
import { Deliverer, type Post } from "./deliverer.ts";
import { StallWatch, type OwnedStreamLag } from "./stall-watch.ts";

export interface WebhookInputs {
  config: Pick<Config, "webhookMaxAgeMs" | "webhookEvents" | "stallAfterMs">;
  clock: Clock;
  random(): number;
  /** Undefined: no address is configured, nothing is sent. */
  post: Post | undefined;
  context: SchemaContext;
  identity: WorkerIdentity;
  held(): Iterable<OwnedStreamLag>;
  registry: Registry;
  log: SupervisorLog;
  onFault(error: unknown): void;
}

const LOOK_FOR_STALLS_MS = 2_000;

export class Webhooks implements Service {
  readonly name = "webhooks";
  readonly #inputs: WebhookInputs;
  readonly #stop = new AbortController();
  #deliverer: Deliverer | undefined;

  constructor(inputs: WebhookInputs) {
    this.#inputs = inputs;
  }

  async start(): Promise<void> {
    const { config, clock, random, post, context, identity, held, registry, log, onFault } = this.#inputs;
    if (!post) return;
    const outbox = new Outbox(context, identity);
    this.#deliverer = new Deliverer({
      outbox,
      post,
      maxAgeMs: config.webhookMaxAgeMs,
      clock,
      random,
      tally: webhookMetrics(registry, clock, () => outbox.waiting()),
      log,
    });
    this.#deliverer.start(onFault);
    if (!config.webhookEvents.includes("stalled")) return;
    const stalls = new StallWatch({ held, outbox, stallAfterMs: config.stallAfterMs, clock });
    const { signal } = this.#stop;
    const everyMs = LOOK_FOR_STALLS_MS;
    repeat({
      everyMs,
      work: () => stalls.look(),
      ended: () => signal.aborted,
      clock,
      signal,
      log,
    }).catch(onFault);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#deliverer?.[Symbol.asyncDispose]();
  }
}
