"use client";
/** Entries of the audit log: when, who and from where, what, why, and what became of each item. */
import type { AuditItem } from "@sluice/redis-schema/records/feed";
import { fileName } from "@sluice/control/stream-row";
import { formatBytes, formatCount, plural } from "@sluice/control/units";
import Link from "next/link";
import type { ActivityEntry } from "../server/activity.ts";
import { Cell, Row, Table } from "../ui/table.tsx";
import { Time } from "../ui/time.tsx";
import { VisibleName } from "../ui/visible-name.tsx";

/** Shown without opening the rest. */
const FIRST_ITEMS = 3;
/** Actions whose items are not streams. */
const NOT_OF_STREAMS = new Set(["abort_uploads", "salvage_upload", "scan_orphans", "retry_path"]);

const GRID = "grid gap-x-4 gap-y-1 md:grid-cols-[7rem_minmax(0,11rem)_minmax(0,1fr)]";
const COLUMNS = [{ name: "When" }, { name: "Who" }, { name: "What" }] as const;

export function ActivityEntries({ label, entries }: { label: string; entries: readonly ActivityEntry[] }) {
  return (
    <Table label={label} columns={COLUMNS} grid={GRID}>
      {entries.map((entry) => (
        <Row key={entry.position} grid={GRID} className="py-2.5">
          <Cell className="text-muted">
            <Time at={entry.at_utc} />
          </Cell>
          <Cell className="[overflow-wrap:anywhere]">
            <VisibleName text={entry.who} />
            {entry.from && <span className="text-muted"> from {entry.from}</span>}
          </Cell>
          <Cell>
            <What entry={entry} />
          </Cell>
        </Row>
      ))}
    </Table>
  );
}

function What({ entry }: { entry: ActivityEntry }) {
  const { count, items, plan, reason, result } = entry;
  const more = items.slice(FIRST_ITEMS);
  const unnamed = count - items.length;
  const isOfStreams = !NOT_OF_STREAMS.has(entry.action);
  const line = (item: AuditItem) => <Item key={item.id} item={item} isStream={isOfStreams} />;
  return (
    <>
      <p className="[overflow-wrap:anywhere]">
        <span className="font-medium">{actionWords(entry.action)}</span>
        {count > 0 && <span className="num text-muted"> · {plural(count, "item")}</span>}
        <span className="text-muted"> · {result}</span>
        {plan && (
          <>
            {" · "}
            <Link href={`/activity/${plan}`} className="text-accent hover:underline">
              each result
            </Link>
          </>
        )}
      </p>
      {reason && (
        <p className="text-muted">
          “<VisibleName text={reason} />”
        </p>
      )}
      {items.length > 0 && (
        <ul className="mt-0.5 text-xs leading-6">{items.slice(0, FIRST_ITEMS).map(line)}</ul>
      )}
      {more.length > 0 && (
        <details className="text-xs leading-6">
          <summary className="text-muted">{formatCount(more.length)} more</summary>
          <ul>{more.map(line)}</ul>
          {unnamed > 0 && <p className="num text-muted">and {formatCount(unnamed)} more</p>}
        </details>
      )}
    </>
  );
}

/** As it was known then; the stream's page says the same if the stream no longer exists. */
function Item({ item, isStream }: { item: AuditItem; isStream: boolean }) {
  const { id, name, key, bytes, parts, result, detail } = item;
  const title = name === undefined ? <code>{id}</code> : <VisibleName text={fileName(name)} />;
  const facts = [
    bytes === undefined ? undefined : formatBytes(bytes),
    parts === undefined ? undefined : plural(parts, "part"),
    result === undefined ? undefined : detail === undefined ? result : `${result}: ${detail}`,
  ].filter((fact) => fact !== undefined);
  return (
    <li className="[overflow-wrap:anywhere]">
      {isStream ? (
        <Link
          href={`/streams/${encodeURIComponent(id)}`}
          className="font-medium hover:text-accent hover:underline"
        >
          {title}
        </Link>
      ) : (
        <span className="font-medium">{title}</span>
      )}
      <span className="text-muted">
        {key !== undefined && (
          <>
            {" · "}
            <VisibleName text={key} />
          </>
        )}
        {facts.map((fact) => ` · ${fact}`)}
      </span>
    </li>
  );
}

export function actionWords(action: string): string {
  const text = action.replaceAll("_", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}
