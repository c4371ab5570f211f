/** One process holds a worker id at a time. Its lease is renewed well before it lapses and released at the end. */
import type { SchemaContext } from "./context.ts";
import { KEPT } from "./kept.ts";
import type { Parsed } from "./records/codec.ts";
import { fromBuffers, fromFlatBuffers, toFlatArgs } from "./records/text.ts";
import { reportArgs } from "./records/stats.ts";
import { parseWorker, workerFields, type WorkerRecord } from "./records/worker.ts";
import { callRedis, inPlainWords, replyName, replyText } from "./replies.ts";
import { runScript, SCRIPTS } from "./scripts.ts";
import { list } from "./stream-change.ts";

export type LeaseOutcome =
  /** There was no lease under this id (or one of a dead process): streams under this id must be claimed again. */
  | ({ kind: "taken" } & Renewal)
  | ({ kind: "renewed" } & Renewal)
  /** Another process holds the id. */
  | { kind: "held"; lease: Parsed<WorkerRecord> | { kind: "absent" } };

interface Renewal {
  /** The current value of the counter that every renewal increases. */
  renewals: number;
  /**
   * Redis is, or may be, older than what the worker remembers: how that was noticed. The epoch's id is then removed.
   */
  wentBack?: string;
  /** The lease is held, but Redis refuses other writes: why, in words. */
  refusal?: string;
}

/** What a worker remembers of its own renewals; a Redis that has less has lost acknowledged writes. */
export interface RememberedRenewals {
  /** The counter after the last renewal that was answered. */
  renewals: number;
  /** Wall times (ms) of the last renewal that was answered and of those since whose answers were lost. */
  times: readonly number[];
}

export interface WorkerListing {
  id: string;
  /** In ms since 1970. */
  lastSeenAt: number;
  /** The time since then on Redis's own clock, ms; absent if its lease has lapsed. */
  ageMs?: number;
  /** `gone`: its lease has lapsed; `last`: what it reported before. */
  lease: Parsed<WorkerRecord> | Gone;
}

interface Gone {
  kind: "gone";
  last?: WorkerRecord;
}

/** An id of no stream, used to check whether records can be written. */
const NO_STREAM = "none";

export class WorkerRegistry {
  readonly #context: SchemaContext;

  constructor(context: SchemaContext) {
    this.#context = context;
  }

  /** Takes or renews the lease with the same command. `deadNonces`: processes known to be gone. */
  async renew(
    workerId: string,
    worker: WorkerRecord,
    deadNonces: readonly string[] = [],
    {
      remembered,
      now = this.#context.clock.wallMs(),
    }: { remembered?: RememberedRenewals | undefined; now?: number } = {},
  ): Promise<LeaseOutcome> {
    const { redis, keys } = this.#context;
    const reply = await runScript(
      redis,
      SCRIPTS.renewLease,
      [
        [keys.worker(workerId), keys.workers, keys.stats(now)],
        keys.indexes,
        [keys.byPath, keys.byKey, keys.filesDone, keys.events, keys.outbox],
        [keys.filesIgnored, keys.uploadsToAbort, keys.orphans, keys.requests],
        keys.ofStream(NO_STREAM),
        [keys.epoch, keys.workerLast(workerId)],
      ],
      [
        [worker.nonce, workerId, now, KEPT.leaseMs, now - KEPT.deadWorkerMs, KEPT.statsMs, KEPT.deadWorkerMs],
        list(toFlatArgs(workerFields(worker))),
        list(deadNonces),
        list(reportArgs(workerId, worker)),
        remembered?.renewals ?? "",
        list(remembered?.times ?? []),
      ],
    );
    const name = replyName(reply, ["taken", "renewed", "held"]);
    if (name !== "held") {
      const refusal = replyText(reply, 1);
      const wentBack = replyText(reply, 3);
      return {
        kind: name,
        renewals: Number(replyText(reply, 2)),
        ...(refusal === "" ? {} : { refusal: inPlainWords(refusal) }),
        ...(wentBack === "" ? {} : { wentBack }),
      };
    }
    return { kind: "held", lease: parseWorker(fromFlatBuffers(reply.slice(1))) };
  }

  /** Another process's lease under the same id stays. */
  async unregister(workerId: string, nonce: string): Promise<void> {
    const { redis, keys } = this.#context;
    await runScript(
      redis,
      SCRIPTS.endLease,
      [keys.worker(workerId), keys.workers, keys.workerLast(workerId)],
      [nonce, workerId],
    );
  }

  /** The current lease of an id. */
  async lease(workerId: string): Promise<Parsed<WorkerRecord> | { kind: "absent" }> {
    const { redis, keys } = this.#context;
    const hash = await callRedis("read a worker", () => redis.hgetallBuffer(keys.worker(workerId)));
    return parseWorker(fromBuffers(hash));
  }

  /** Every worker seen in the last week, live or gone, by id. Two round trips, a third for those that are gone. */
  async list(): Promise<WorkerListing[]> {
    const { redis, keys } = this.#context;
    const flat = await callRedis("list workers", () => redis.zrange(keys.workers, "0", "-1", "WITHSCORES"));
    const seen: { id: string; lastSeenAt: number }[] = [];
    for (let at = 0; at + 1 < flat.length; at += 2)
      seen.push({ id: flat[at] ?? "", lastSeenAt: Number(flat[at + 1]) });
    const listings = await Promise.all(
      seen.map(async ({ id, lastSeenAt }): Promise<WorkerListing> => {
        const [lease, ageMs] = await Promise.all([this.lease(id), this.#ageMs(id)]);
        if (lease.kind === "absent") return { id, lastSeenAt, lease: await this.#gone(id) };
        return { id, lastSeenAt, ...(ageMs === undefined ? {} : { ageMs }), lease };
      }),
    );
    return listings.sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** From the remaining time of the lease, because the clocks of hosts differ. */
  async #ageMs(workerId: string): Promise<number | undefined> {
    const { redis, keys } = this.#context;
    const leftMs = await callRedis("read a lease's age", () => redis.pttl(keys.worker(workerId)));
    return leftMs < 0 ? undefined : Math.max(0, KEPT.leaseMs - leftMs);
  }

  async #gone(workerId: string): Promise<Gone> {
    const { redis, keys } = this.#context;
    const hash = await callRedis("read a worker", () => redis.hgetallBuffer(keys.workerLast(workerId)));
    const last = parseWorker(fromBuffers(hash));
    return last.kind === "ok" ? { kind: "gone", last: last.value } : { kind: "gone" };
  }
}
