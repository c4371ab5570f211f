/** Dashboard sessions, which Redis forgets by itself, and the limit on failed sign-ins of one address. */
import { z } from "zod";
import type { SchemaContext } from "./context.ts";
import { KEPT } from "./kept.ts";
import { parseWith } from "./records/codec.ts";
import { count, named } from "./records/scalars.ts";
import { fromBuffers, toFlatArgs } from "./records/text.ts";
import { callRedis, callTransaction, replyText } from "./replies.ts";
import { runScript, SCRIPTS } from "./scripts.ts";

const sessionSchema = z.object({
  who: named,
  role: z.enum(["viewer", "operator"]),
  /** ms since 1970. */
  started_at: count,
});
export type Session = z.infer<typeof sessionSchema>;

export class Sessions {
  readonly #context: SchemaContext;

  constructor(context: SchemaContext) {
    this.#context = context;
  }

  /** `hash`: of the cookie's secret, so that Redis never holds one that opens a session. */
  async begin(hash: string, session: Omit<Session, "started_at">): Promise<void> {
    const { redis, keys, clock } = this.#context;
    const key = keys.session(hash);
    const fields = toFlatArgs({ ...session, started_at: clock.wallMs() });
    await callTransaction(
      "begin a session",
      redis
        .multi()
        .hset(key, ...fields)
        .pexpire(key, KEPT.sessionIdleMs),
    );
  }

  /** The session, now good for another idle time but never past its longest; undefined when there is none. */
  async use(hash: string): Promise<Session | undefined> {
    const { redis, keys, clock } = this.#context;
    const key = keys.session(hash);
    const parsed = parseWith(
      sessionSchema,
      fromBuffers(await callRedis("read a session", () => redis.hgetallBuffer(key))),
    );
    if (parsed.kind === "corrupt") return undefined;
    const left = parsed.value.started_at + KEPT.sessionMs - clock.wallMs();
    if (left <= 0) {
      await this.end(hash);
      return undefined;
    }
    await callRedis("keep a session", () => redis.pexpire(key, Math.min(left, KEPT.sessionIdleMs)));
    return parsed.value;
  }

  async end(hash: string): Promise<void> {
    const { redis, keys } = this.#context;
    await callRedis("end a session", () => redis.del(keys.session(hash)));
  }

  /** Whether this address may try to sign in now. */
  async mayTry(ip: string): Promise<{ allowed: true } | { allowed: false; retryAfterMs: number }> {
    const { redis, keys } = this.#context;
    const key = keys.login(ip);
    const [failures, left] = await callRedis("read a limit", () =>
      Promise.all([redis.get(key), redis.pttl(key)]),
    );
    return Number(failures ?? 0) < KEPT.loginAttempts
      ? { allowed: true }
      : { allowed: false, retryAfterMs: Math.max(left, 0) };
  }

  /** Counts one attempt. Count before the password is compared: attempts made side by side all count. */
  async attempt(ip: string): Promise<{ allowed: true } | { allowed: false; retryAfterMs: number }> {
    const { redis, keys } = this.#context;
    const reply = await runScript(redis, SCRIPTS.countLogin, [keys.login(ip)], [KEPT.loginWindowMs]);
    return Number(replyText(reply, 0)) <= KEPT.loginAttempts
      ? { allowed: true }
      : { allowed: false, retryAfterMs: Number(replyText(reply, 1)) };
  }

  /** A sign-in that succeeded clears the count. */
  async succeeded(ip: string): Promise<void> {
    const { redis, keys } = this.#context;
    await callRedis("clear a limit", () => redis.del(keys.login(ip)));
  }
}
