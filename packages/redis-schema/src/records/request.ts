/**
 * `request:<id>`: what the dashboard or the command line requests from the workers. Each item (a stream id, an upload
 * id, a path, a bucket) gets its own result; the request is settled when all have one.
 */
import { z } from "zod";
import { parseJson, parseWith, type Parsed } from "./codec.ts";
import { jsonField, named, time } from "./scalars.ts";
import type { RawHash } from "./text.ts";

export const REQUEST_ACTIONS = [
  /** Items: stream ids. */
  "retry",
  "finalize",
  "abort",
  "verify",
  "head_object",
  "list_parts",
  /** Answered with an address that is signed for some minutes; such a request is kept only as long as it is waited for. */
  "download",
  /** Items: `<source>:<path>`; removes the mark in `files:ignored`. */
  "retry_path",
  /** Items: bucket names, or `*` for all that a worker knows. */
  "scan_orphans",
  /** Items: upload ids, from a plan. */
  "abort_uploads",
  /** Items: stream ids of another source. */
  "adopt",
  /** Items: stream ids whose file is gone. */
  "salvage",
  /** Items: upload ids that no stream has; the option `key` says where each was opened. */
  "salvage_upload",
] as const;
export type RequestAction = (typeof REQUEST_ACTIONS)[number];

export const ITEM_RESULTS = ["done", "refused", "failed"] as const;

const itemResultSchema = z.object({
  result: z.enum(ITEM_RESULTS),
  /** A text for users. */
  detail: z.exactOptional(z.string()),
  /** The answer to a question (HeadObject, ListParts …): JSON whose shape depends on the action. */
  data: z.exactOptional(z.json()),
  worker: z.string(),
  at_utc: time,
});
export type ItemResult = z.infer<typeof itemResultSchema>;

const requestSchema = z.object({
  id: named,
  action: z.enum(REQUEST_ACTIONS),
  items: jsonField(z.array(z.string()).min(1)),
  /** Options of the action, whose shape depends on the action. */
  options: z.exactOptional(jsonField(z.record(z.string(), z.json()))),
  who: z.string(),
  /** Address of the operator. */
  from: z.exactOptional(z.string()),
  reason: z.exactOptional(z.string()),
  filed_at_utc: time,
  settled_at_utc: z.exactOptional(time),
});

export type NewRequest = Omit<z.infer<typeof requestSchema>, "settled_at_utc">;

export interface RequestRecord extends NewRequest {
  /** `filed` until the first item is settled, `settled` when all are. */
  state: "filed" | "partly" | "settled";
  settled_at_utc?: string;
  /** By item; absent: no worker has settled it yet. */
  results: Record<string, ItemResult>;
}

const ITEM = "item:";

/** The field of an item's result. Field names are read as text, so bytes that are not UTF-8 (a path) are escaped. */
export function itemField(item: string): string {
  return ITEM + (item.isWellFormed() ? item : JSON.stringify(item));
}

/** The field of the count of results. */
export const ANSWERED = "answered";

/** While a worker acts on an item that others could act on too, this field says which worker, and until when. */
export function holdField(item: string): string {
  return `hold:${itemField(item)}`;
}

/** A request to the workers; `absent` if it has expired or never was. */
export function parseRequest(hash: RawHash): Parsed<RequestRecord> | { kind: "absent" } {
  if (Object.keys(hash).length === 0) return { kind: "absent" };
  const parsed = parseWith(requestSchema, hash);
  if (parsed.kind === "corrupt") return parsed;
  // Items come from outside: an item called __proto__ must find its own result and nothing else.
  const results = Object.create(null) as Record<string, ItemResult>;
  let settled = 0;
  for (const item of parsed.value.items) {
    const text = hash[itemField(item)];
    if (text === undefined) continue;
    const result = parseJson(itemResultSchema, text);
    if (result.kind === "corrupt") return { kind: "corrupt", detail: `${itemField(item)}: ${result.detail}` };
    results[item] = result.value;
    settled += 1;
  }
  const state = settled === 0 ? "filed" : settled < parsed.value.items.length ? "partly" : "settled";
  return { kind: "ok", value: { ...parsed.value, state, results } };
}

/** A request as Redis holds it; what is undefined is not written. */
export function requestFields(request: NewRequest): Record<string, string | undefined> {
  const { items, options, ...plain } = request;
  return {
    ...plain,
    items: JSON.stringify(items),
    options: options === undefined ? undefined : JSON.stringify(options),
  };
}
