/** A clean-up is planned first, shown, and then carried out once, exactly as planned, before it expires. */
import type { SchemaContext } from "./context.ts";
import type { Parsed } from "./records/codec.ts";
import { parsePlanRecord, planFields, type PlanRecord } from "./records/plan.ts";
import { fromBuffers, fromFlatBuffers, toFlatArgs } from "./records/text.ts";
import { callRedis, callTransaction, replyName } from "./replies.ts";
import { runScript, SCRIPTS } from "./scripts.ts";

export class Plans {
  readonly #context: SchemaContext;

  constructor(context: SchemaContext) {
    this.#context = context;
  }

  /** Kept until `expires_at_utc`. */
  async save(plan: PlanRecord): Promise<void> {
    const { redis, keys } = this.#context;
    const key = keys.plan(plan.token);
    // One transaction: a plan without an expiry would stay for ever.
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

  /** `execution` names who carries it out: the same one may ask again, another gets `consumed`. */
  async consume(
    token: string,
    execution: string,
  ): Promise<Parsed<PlanRecord> | { kind: "absent" } | { kind: "consumed" }> {
    const { redis, keys } = this.#context;
    const reply = await runScript(redis, SCRIPTS.consumePlan, [keys.plan(token)], [execution]);
    const name = replyName(reply, ["plan", "consumed", "absent"]);
    return name === "plan" ? parsePlanRecord(fromFlatBuffers(reply.slice(1))) : { kind: name };
  }
}
