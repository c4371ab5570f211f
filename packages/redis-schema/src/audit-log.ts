/** Every operator action, newest first: who, from where, what, which ids, why, and what came of it. */
import type { SchemaContext } from "./context.ts";
import { KEPT } from "./kept.ts";
import { auditFields, parseAudit, type AuditEntry } from "./records/feed.ts";
import { fromFlatBuffers, toFlatArgs } from "./records/text.ts";
import { callRedis } from "./replies.ts";

export interface AuditPage {
  entries: (AuditEntry & { position: string })[];
  /** For the next, older page; absent on the last. */
  next?: string;
}

export class AuditLog {
  readonly #context: SchemaContext;

  constructor(context: SchemaContext) {
    this.#context = context;
  }

  async append(entry: Omit<AuditEntry, "at_utc">): Promise<void> {
    const { redis, keys, clock } = this.#context;
    const fields = auditFields({ ...entry, at_utc: new Date(clock.wallMs()).toISOString() });
    await callRedis("append to the audit log", () =>
      redis.xadd(keys.audit, "MAXLEN", "~", KEPT.auditEntries, "*", ...toFlatArgs(fields)),
    );
  }

  /** `before`: `next` of the page before. Entries that cannot be read are passed over. */
  async page(limit: number, before?: string): Promise<AuditPage> {
    const { redis, keys } = this.#context;
    const end = before === undefined ? "+" : `(${before}`;
    const raw = await callRedis("read the audit log", () =>
      redis.xrevrangeBuffer(keys.audit, end, "-", "COUNT", limit + 1),
    );
    const entries: AuditPage["entries"] = [];
    for (const [id, fields] of raw.slice(0, limit)) {
      const parsed = parseAudit(fromFlatBuffers(fields));
      if (parsed.kind === "ok") entries.push({ ...parsed.value, position: id.toString("latin1") });
    }
    const last = raw[limit - 1]?.[0];
    return raw.length > limit && last ? { entries, next: last.toString("latin1") } : { entries };
  }
}
