/** Every operator action, newest first: who, from where, what, which ids, why, and the result. */
import type { SchemaContext } from "./context.ts";
import { KEPT } from "./kept.ts";
import { auditFields, parseAudit, type AuditEntry } from "./records/feed.ts";
import { fromFlatBuffers, toFlatArgs } from "./records/text.ts";
import { callRedis } from "./replies.ts";

export interface AuditPage {
  entries: (AuditEntry & { position: string })[];
  /** Cursor of the next, older page; absent on the last. */
  next?: string;
}

export class AuditLog {
  readonly #context: SchemaContext;

  constructor(context: SchemaContext) {
    this.#context = context;
  }

  async append(entry: Omit<AuditEntry, "at_utc">): Promise<void> {
    await this.#append(this.#context.keys.audit, KEPT.auditEntries, entry);
  }

  /**
   * For actions that were refused to a stranger. There may be any number of them, so they have their own list with its
   * own limit.
   */
  async appendRefusal(entry: Omit<AuditEntry, "at_utc">): Promise<void> {
    await this.#append(this.#context.keys.auditRefused, KEPT.auditRefusals, entry);
  }

  async #append(key: string, most: number, entry: Omit<AuditEntry, "at_utc">): Promise<void> {
    const { redis, clock } = this.#context;
    const fields = auditFields({ ...entry, at_utc: new Date(clock.wallMs()).toISOString() });
    await callRedis("append to the audit log", () =>
      redis.xadd(key, "MAXLEN", "~", most, "*", ...toFlatArgs(fields)),
    );
  }

  /** `before`: `next` of the page before. Entries that cannot be parsed are skipped. */
  async page(limit: number, before?: string): Promise<AuditPage> {
    const { redis, keys } = this.#context;
    const end = before === undefined ? "+" : `(${before}`;
    const both = await callRedis("read the audit log", () =>
      Promise.all(
        [keys.audit, keys.auditRefused].map((key) =>
          redis.xrevrangeBuffer(key, end, "-", "COUNT", limit + 1),
        ),
      ),
    );
    const raw = both
      .flat()
      .map(([id, fields]) => ({ position: id.toString("latin1"), fields }))
      .toSorted((one, other) => comparePositions(other.position, one.position));
    // Entries of the same millisecond stay on one page: the next page begins before it.
    let shown = Math.min(limit, raw.length);
    while (shown > 0 && raw[shown]?.position === raw[shown - 1]?.position) shown += 1;
    const entries: AuditPage["entries"] = [];
    for (const { position, fields } of raw.slice(0, shown)) {
      const parsed = parseAudit(fromFlatBuffers(fields));
      if (parsed.kind === "ok") entries.push({ ...parsed.value, position });
    }
    const last = raw[shown - 1];
    return raw.length > shown && last ? { entries, next: last.position } : { entries };
  }
}

/** Compares positions `<ms>-<number>`, as Redis makes them. */
function comparePositions(one: string, other: string): number {
  const [ms = 0, number = 0] = one.split("-").map(Number);
  const [otherMs = 0, otherNumber = 0] = other.split("-").map(Number);
  return ms - otherMs || number - otherNumber;
}
