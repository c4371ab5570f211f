/**
 * Redis may vanish, before the start or under a running worker. While what S3 holds is not known here, every file and
 * upload is looked for there before anything is sent, and nothing is cleaned up.
 */
import { CheckpointError, type Clock } from "@sluice/core";
import { beginEpoch, readEpoch, type SchemaContext } from "@sluice/redis-schema";
import type { SupervisorLog } from "./supervisor.ts";

export interface RecoveryDeps {
  context: SchemaContext;
  newId(): string;
  clock: Clock;
  log: SupervisorLog;
  /** Lets go of every stream, forgets every file, and reads what Redis holds now. */
  startAnew(): Promise<void>;
  /** Resolves when every file has been looked at, and its stream has asked S3. */
  lookAtAll(): Promise<void>;
}

const TRY_AGAIN_MS = 1_000;

export class Recovery {
  /** Read by every stream as it begins. */
  recognise = false;
  readonly #deps: RecoveryDeps;
  /** Id of the epoch whose records this worker knows. */
  #epoch: string | undefined;
  #emptied = Promise.withResolvers<void>();

  constructor(deps: RecoveryDeps) {
    this.#deps = deps;
  }

  async begin(): Promise<void> {
    this.#epoch = (await readEpoch(this.#deps.context))?.id;
    this.recognise = this.#epoch === undefined;
  }

  /**
   * Before each renewal of the lease: an emptied Redis has lost that too, and until it is taken again opens nothing. So
   * no stream begins here without knowing. Another epoch: it was emptied, and another worker is done with its recovery.
   */
  async check(): Promise<void> {
    if (this.recognise) return;
    const now = await readEpoch(this.#deps.context);
    if (now?.id === this.#epoch) return;
    this.recognise = true;
    this.#deps.log.warn(
      {},
      "Redis was emptied: every file and upload is looked for in S3 first; what is there is not sent again",
    );
    this.#emptied.resolve();
  }

  /** Settles the recovery the worker started with, if any, and each that becomes necessary later. */
  async run(signal: AbortSignal): Promise<void> {
    if (this.recognise) await this.#untilRedisAnswers(() => this.#settle(), signal);
    for (;;) {
      await Promise.race([this.#emptied.promise, aborted(signal)]);
      if (signal.aborted) return;
      this.#emptied = Promise.withResolvers<void>();
      await this.#untilRedisAnswers(async () => {
        await this.#deps.startAnew();
        await this.#settle();
      }, signal);
      this.#deps.log.info({}, "every file and upload has been looked for in S3; work goes on as before");
    }
  }

  async #settle(): Promise<void> {
    const { context, newId, lookAtAll } = this.#deps;
    await lookAtAll();
    // Only now: a worker killed in the middle of the recovery begins it again.
    await beginEpoch(context, newId());
    this.#epoch = (await readEpoch(context))?.id;
    this.recognise = false;
  }

  async #untilRedisAnswers(work: () => Promise<void>, signal: AbortSignal): Promise<void> {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof CheckpointError)) throw error;
        await this.#deps.clock.sleep(TRY_AGAIN_MS, signal);
      }
    }
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
