/** A clean-up is planned and shown first, and then carried out once, exactly as planned, before it expires. */
import type { SchemaContext } from "./context.ts";
import { KEPT } from "./kept.ts";
import type { Parsed } from "./records/codec.ts";
import {
  parsePlanRecord,
  parsePlanResults,
  planFields,
  type PlanRecord,
  type PlanResult,
} from "./records/plan.ts";
import { itemField } from "./records/request.ts";
import { fromBuffers, fromFlatBuffers, toFlatArgs } from "./records/text.ts";
import { callRedis, callTransaction, replyName } from "./replies.ts";
import { runScript, SCRIPTS } from "./scripts.ts";
import { redisNowMs } from "./server-clock.ts";

export class Plans {
  readonly #context: SchemaContext;

  constructor(context: SchemaContext) {
    this.#context = context;
  }

  /** Creation and expiry of a plan that is made now, on Redis's clock, which also expires it. */
  async lifetime(): Promise<Pick<PlanRecord, "made_at_utc" | "expires_at_utc">> {
    const now = await redisNowMs(this.#context);
    return {
      made_at_utc: new Date(now).toISOString(),
      expires_at_utc: new Date(now + KEPT.planMs).toISOString(),
    };
  }

  /** Kept until `expires_at_utc`, on Redis's clock: see `lifetime`. */
  async save(plan: PlanRecord): Promise<void> {
    const { redis, keys } = this.#context;
    const key = keys.plan(plan.token);
    // One transaction: a plan without an expiry would stay forever.
    await callTransaction(
      "save a plan",
      redis
        .multi()
        .hset(key, ...toFlatArgs(planFields(plan)))
        .pexpireat(key, Date.parse(plan.expires_at_utc)),
    );
  }

  async load(token: string): Promise<Parsed<PlanRecord> | { kind: "absent" }> {
    const { redis, keys } = this.#context;
    return parsePlanRecord(
      fromBuffers(await callRedis("read a plan", () => redis.hgetallBuffer(keys.plan(token)))),
    );
  }

  /** `execution` identifies who carries it out: the same execution may repeat the call, another gets `consumed`. */
  async consume(
    token: string,
    execution: string,
  ): Promise<Parsed<PlanRecord> | { kind: "absent" } | { kind: "consumed" }> {
    const { redis, keys } = this.#context;
    const reply = await runScript(redis, SCRIPTS.consumePlan, [keys.plan(token)], [execution]);
    const name = replyName(reply, ["plan", "consumed", "absent"]);
    if (name !== "plan") return { kind: name };
    return parsePlanRecord(fromFlatBuffers(reply[1] as unknown[]));
  }

  /** Records results of a consumed plan, which is then kept for a day, so that it outlives the browser tab. */
  async record(token: string, results: ReadonlyMap<string, PlanResult>): Promise<void> {
    const { redis, keys } = this.#context;
    const key = keys.plan(token);
    const flat = [...results].flatMap(([id, result]) => [itemField(id), JSON.stringify(result)]);
    const transaction = redis.multi();
    if (flat.length > 0) transaction.hset(key, ...flat);
    await callTransaction("record a plan's results", transaction.pexpire(key, KEPT.requestMs));
  }

  async results(token: string): Promise<Map<string, PlanResult>> {
    const { redis, keys } = this.#context;
    const hash = await callRedis("read a plan's results", () => redis.hgetallBuffer(keys.plan(token)));
    return parsePlanResults(fromBuffers(hash));
  }
}
