/** Dashboard sessions, which Redis expires, and the limits on attempts to sign in. */
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
  /** In ms since 1970. */
  started_at: count,
  /** Address and browser that signed in, so that users recognize it. */
  from: z.exactOptional(z.string()),
  agent: z.exactOptional(z.string()),
});
export type Session = z.infer<typeof sessionSchema>;

/** `used_at`: ms since 1970. */
export type ListedSession = Session & { hash: string; used_at: number };

/** An attempt is counted under each of these: one subscriber, and the range around it. */
export interface AttemptNames {
  exact: string;
  wide: string;
}

/** Every attempt is also counted under this name. */
const IN_ALL = "all";

export class Sessions {
  readonly #context: SchemaContext;

  constructor(context: SchemaContext) {
    this.#context = context;
  }

  /**
   * `hash`: of the cookie's secret, so that Redis never has one that opens a session. Beyond the limit, the oldest
   * sessions end.
   */
  async begin(hash: string, session: Omit<Session, "started_at">): Promise<void> {
    const { redis, keys, clock } = this.#context;
    const key = keys.session(hash);
    const now = clock.wallMs();
    const fields = toFlatArgs({ ...session, started_at: now });
    await callTransaction(
      "begin a session",
      redis
        .multi()
        .hset(key, ...fields)
        .pexpire(key, KEPT.sessionIdleMs)
        .zadd(keys.sessions, now, hash)
        .zremrangebyscore(keys.sessions, "-inf", now - KEPT.sessionMs)
        .pexpire(keys.sessions, KEPT.sessionMs),
    );
    const tooMany = await callRedis("count sessions", () =>
      redis.zrange(keys.sessions, "0", String(-(KEPT.sessions + 1))),
    );
    await this.#end(tooMany);
  }

  /** The session, extended by another idle time but never beyond its maximum; undefined if there is none. */
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
    await this.#end([hash]);
  }

  /** Every session of every browser. */
  async endAll(): Promise<void> {
    const { redis, keys } = this.#context;
    await this.#end(await callRedis("list sessions", () => redis.zrange(keys.sessions, "0", "-1")));
  }

  /** Newest first. The time of last use is derived from the remaining expiry. */
  async list(): Promise<ListedSession[]> {
    const { redis, keys, clock } = this.#context;
    const hashes = await callRedis("list sessions", () => redis.zrange(keys.sessions, "0", "-1", "REV"));
    const now = clock.wallMs();
    const found = await callRedis("read sessions", () =>
      Promise.all(
        hashes.map(async (hash) => {
          const key = keys.session(hash);
          const [fields, left] = await Promise.all([redis.hgetallBuffer(key), redis.pttl(key)]);
          return { hash, left, parsed: parseWith(sessionSchema, fromBuffers(fields)) };
        }),
      ),
    );
    return found.flatMap(({ hash, left, parsed }) => {
      if (parsed.kind === "corrupt") return [];
      const kept = Math.min(KEPT.sessionIdleMs, parsed.value.started_at + KEPT.sessionMs - now);
      return [{ ...parsed.value, hash, used_at: now - Math.max(0, kept - left) }];
    });
  }

  async #end(hashes: readonly string[]): Promise<void> {
    if (hashes.length === 0) return;
    const { redis, keys } = this.#context;
    const records = hashes.map((hash) => keys.session(hash));
    await callTransaction(
      "end sessions",
      redis
        .multi()
        .del(...records)
        .zrem(keys.sessions, ...hashes),
    );
  }

  /** Counts one attempt. Must be called before the password is compared, so that concurrent attempts all count. */
  async attempt(names: AttemptNames): Promise<{ allowed: true } | { allowed: false; retryAfterMs: number }> {
    const limits = [KEPT.loginAttempts, KEPT.loginAttemptsOfRange, KEPT.loginAttemptsInAll];
    const args = [KEPT.loginWindowMs, ...limits];
    const reply = await runScript(this.#context.redis, SCRIPTS.countLogin, this.#countedBy(names), args);
    return replyText(reply, 0) === "1"
      ? { allowed: true }
      : { allowed: false, retryAfterMs: Number(replyText(reply, 1)) };
  }

  /** A successful sign-in clears the count of its address. */
  async succeeded(names: AttemptNames): Promise<void> {
    await runScript(this.#context.redis, SCRIPTS.forgiveLogin, this.#countedBy(names), []);
  }

  #countedBy({ exact, wide }: AttemptNames): string[] {
    return [exact, wide, IN_ALL].map((name) => this.#context.keys.login(name));
  }
}
