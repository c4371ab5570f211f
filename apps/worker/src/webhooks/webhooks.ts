/** Webhooks of one worker: it delivers when it is its turn, and reports its own stalled streams and workers with problems. */
import type { Config } from "@sluice/config";
import type { Clock } from "@sluice/core";
import {
  Deliveries,
  OrphanStore,
  Outbox,
  StreamReader,
  WatchStore,
  WorkerRegistry,
  type SchemaContext,
  type WorkerIdentity,
} from "@sluice/redis-schema";
import type { Registry } from "prom-client";
import { webhookMetrics } from "../observe/webhook-metrics.ts";
import type { Service } from "../start/service.ts";
import { repeat } from "../streams/repeat.ts";
import type { SupervisorLog } from "../streams/supervisor.ts";
import { Deliverer, type Post } from "@sluice/webhooks/deliverer";
import { EndingWatch } from "@sluice/webhooks/ending-watch";
import { StallWatch, type OwnedStreamLag } from "./stall-watch.ts";
import { checkWorkers, type WorkerWatchDeps } from "@sluice/webhooks/worker-watch";

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
const LOOK_AT_WORKERS_MS = 5_000;

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
      deliveries: new Deliveries(context),
      post,
      maxAgeMs: config.webhookMaxAgeMs,
      clock,
      random,
      tally: webhookMetrics(registry, clock, () => outbox.waiting()),
      log,
    });
    this.#deliverer.start(onFault);
    const deliverer = this.#deliverer;
    const workers: WorkerWatchDeps = {
      workers: new WorkerRegistry(context),
      watches: new WatchStore(context),
      outbox,
      endings: new EndingWatch({
        reader: new StreamReader(context),
        orphans: new OrphanStore(context),
        clock,
      }),
      events: config.webhookEvents,
      isOurTurn: () => deliverer.hasTurn,
      clock,
    };
    this.#repeat(LOOK_AT_WORKERS_MS, () => checkWorkers(workers));
    if (!config.webhookEvents.includes("stalled")) return;
    const stalls = new StallWatch({ held, outbox, stallAfterMs: config.stallAfterMs, clock });
    this.#repeat(LOOK_FOR_STALLS_MS, () => stalls.look());
  }

  #repeat(everyMs: number, work: () => Promise<void>): void {
    const { clock, log, onFault } = this.#inputs;
    const { signal } = this.#stop;
    repeat({ everyMs, work, ended: () => signal.aborted, clock, signal, log }).catch(onFault);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#deliverer?.[Symbol.asyncDispose]();
  }
}
