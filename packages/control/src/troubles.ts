/**
 * The errors and warnings of a worker that an operator sees in the dashboard: one stable code each. The worker marks the
 * line of its log with the code, and the dashboard shows these words for it.
 */

/** What a trouble concerns. */
export type TroubleArea = "store" | "Redis" | "watch" | "webhook" | "worker";

interface TroubleFacts {
  area: TroubleArea;
  title: string;
}

export const TROUBLES = {
  store_unavailable: { area: "store", title: "The store was unavailable" },
  store_unusable: { area: "store", title: "The store could not be used at the start" },
  store_refused: { area: "store", title: "The store refused something that the worker needs" },
  store_demoted: { area: "store", title: "The store turned out to do less than it said" },
  upload_not_aborted: { area: "store", title: "An upload could not be aborted" },
  redis_unreachable: { area: "Redis", title: "Redis could not be reached" },
  redis_no_checkpoints: { area: "Redis", title: "Redis stored no checkpoints" },
  redis_concern: { area: "Redis", title: "Redis is set up in a way that risks data" },
  redis_lost_writes: { area: "Redis", title: "Redis had lost writes that it acknowledged" },
  record_repaired: { area: "Redis", title: "A record in Redis was repaired" },
  watch_offline: { area: "watch", title: "A watch was offline" },
  watch_not_followed: { area: "watch", title: "A directory could not be followed by events" },
  directory_unreadable: { area: "watch", title: "A directory could not be read" },
  disk_fills: { area: "watch", title: "The disk of a watch fills" },
  file_not_tidied: { area: "watch", title: "A completed file could not be deleted or moved" },
  webhook_not_accepted: { area: "webhook", title: "The receiver of webhooks did not accept a message" },
  webhook_dropped: { area: "webhook", title: "A webhook was dropped" },
  webhooks_wait: { area: "webhook", title: "Webhooks waited for Redis" },
  round_failed: { area: "worker", title: "Periodic work failed" },
  request_failed: { area: "worker", title: "A request of an operator failed" },
  stream_bug: { area: "worker", title: "A stream stopped because of a bug" },
  fatal: { area: "worker", title: "The worker ended because of an error" },
} as const satisfies Record<string, TroubleFacts>;

export type TroubleCode = keyof typeof TROUBLES;

/** The fields that mark a line of the log. */
export function trouble(code: TroubleCode): { trouble: TroubleCode } {
  return { trouble: code };
}

/** Of a code that a newer worker may have written. */
export function troubleWords(code: string): TroubleFacts {
  const known: Readonly<Record<string, TroubleFacts>> = TROUBLES;
  return (Object.hasOwn(known, code) ? known[code] : undefined) ?? { area: "worker", title: code };
}
