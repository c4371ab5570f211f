/** The audit log as pages show it: each entry with its first items by name, as they were known when it was written. */
import type { AuditFilter } from "@sluice/redis-schema/audit-log";
import type { AuditEntry, AuditItem } from "@sluice/redis-schema/records/feed";
import { pathOf } from "@sluice/control/stream-row";
import type { Hub } from "./hub.ts";

export interface ActivityEntry extends Omit<AuditEntry, "ids" | "items"> {
  position: string;
  /** Number of items. */
  count: number;
  /** The first of them. */
  items: AuditItem[];
}

export interface ActivityPage {
  entries: ActivityEntry[];
  next?: string;
}

const MAX_ENTRIES = 100;
const SHOWN_ITEMS = 20;
const ABOUT_ENTRIES = 10;

export async function activityPage(
  hub: Hub,
  {
    cursor,
    ...filter
  }: { [K in keyof AuditFilter]?: AuditFilter[K] | undefined } & {
    cursor?: string | undefined;
  },
): Promise<ActivityPage> {
  const given = Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined));
  const { entries, next } = await hub.audit.page(MAX_ENTRIES, cursor, given);
  return { entries: entries.map((entry) => shown(hub, entry)), ...(next === undefined ? {} : { next }) };
}

/** What was done with an item, or by a plan, newest first; of an item only itself is named. */
export async function activityAbout(hub: Hub, id: string): Promise<ActivityEntry[]> {
  const entries = await hub.audit.about(id, ABOUT_ENTRIES);
  return entries.map((entry) => {
    if (entry.plan === id) return shown(hub, entry);
    const { ids, items = [], ...plain } = entry;
    const own = items.filter((item) => item.id === id);
    return { ...plain, count: ids.length, items: own.length > 0 ? own : [{ id }] };
  });
}

function shown(hub: Hub, { ids, items = [], ...entry }: AuditEntry & { position: string }): ActivityEntry {
  // An entry of an earlier version has only ids: what exists now is named all the same.
  const named = items.length > 0 ? items : ids.map((id) => ({ id, ...nameNow(hub, id) }));
  return { ...entry, count: ids.length, items: named.slice(0, SHOWN_ITEMS) };
}

function nameNow(hub: Hub, id: string): Pick<AuditItem, "name" | "key"> {
  const row = hub.model.rows.get(id);
  if (row === undefined) return {};
  return { name: pathOf(row), ...(row.s3_key === undefined ? {} : { key: row.s3_key }) };
}
