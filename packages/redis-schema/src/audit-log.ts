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

/** All of these must match; nothing given matches everything. */
export interface AuditFilter {
  /** Sign-ins and sign-outs only, or everything else. */
  kind?: "actions" | "sign_ins";
  who?: string;
  action?: string;
  /** From `from` to before `until`, ms since 1970. */
  from?: number;
  until?: number;
}

/** Entries read for one page of a filtered log; its cursor continues from there. */
const MOST_READ = 3_000;
/** Entries searched for one item. */
const MOST_SEARCHED = 2_000;

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

  /**
   * `before`: `next` of the page before. Entries that cannot be parsed are skipped. A page of a filtered log may have fewer
   * entries than asked for, or none, and still be followed by another.
   */
  async page(limit: number, before?: string, filter: AuditFilter = {}): Promise<AuditPage> {
    if (Object.values(filter).every((value) => value === undefined)) return this.#part(limit, before, filter);
    const entries: AuditPage["entries"] = [];
    let next = before;
    for (let read = 0; read < MOST_READ && entries.length < limit; read += limit) {
      const part = await this.#part(limit, next, filter);
      entries.push(...part.entries.filter((entry) => matchesAudit(entry, filter)));
      next = part.next;
      if (next === undefined) return { entries };
    }
    return next === undefined ? { entries } : { entries, next };
  }

  /** The newest actions on an item, or of a plan, by its id: what is known of what no longer exists. */
  async about(id: string, limit: number): Promise<AuditPage["entries"]> {
    const found: AuditPage["entries"] = [];
    let next: string | undefined;
    for (let read = 0; read < MOST_SEARCHED && found.length < limit; read += STEP) {
      const part = await this.#part(STEP, next, { kind: "actions" });
      found.push(...part.entries.filter((entry) => entry.plan === id || entry.ids.includes(id)));
      next = part.next;
      if (next === undefined) break;
    }
    return found.slice(0, limit);
  }

  async #part(limit: number, before: string | undefined, filter: AuditFilter): Promise<AuditPage> {
    const { redis, keys } = this.#context;
    const { kind, from, until } = filter;
    const end = before === undefined ? (until === undefined ? "+" : `(${until}-0`) : `(${before}`;
    const streams = kind === "actions" ? [keys.audit] : [keys.audit, keys.auditRefused];
    const both = await callRedis("read the audit log", () =>
      Promise.all(
        streams.map((key) => redis.xrevrangeBuffer(key, end, String(from ?? "-"), "COUNT", limit + 1)),
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

const STEP = 250;

/** The position of an entry is on the same clock as its time, so the times are those of the range that was read. */
function matchesAudit(entry: AuditEntry, { kind, who, action }: AuditFilter): boolean {
  if (kind !== undefined && (kind === "sign_ins") !== isSignIn(entry)) return false;
  return (who === undefined || entry.who === who) && (action === undefined || entry.action === action);
}

function isSignIn({ action }: AuditEntry): boolean {
  return /^sign (?:in|out)/.test(action);
}

/** Compares positions `<ms>-<number>`, as Redis makes them. */
function comparePositions(one: string, other: string): number {
  const [ms = 0, number = 0] = one.split("-").map(Number);
  const [otherMs = 0, otherNumber = 0] = other.split("-").map(Number);
  return ms - otherMs || number - otherNumber;
}
