/**
 * The last errors and warnings that operators should see, one entry for each code, with the newest reason and how often.
 * Filled by the log: its lines that carry a code.
 */
import { visibleLine } from "@sluice/control/visible-text";
import type { Clock } from "@sluice/core";
import { MOST_TROUBLES, type Trouble } from "@sluice/redis-schema";
import type { Log } from "./log.ts";

const MOST_DETAIL_CHARS = 300;

export class RecentTroubles {
  readonly #clock: Pick<Clock, "wallMs">;
  /** By code; the one seen last is at the end. */
  readonly #seen = new Map<string, Trouble>();
  #version = 0;

  constructor(clock: Pick<Clock, "wallMs">) {
    this.#clock = clock;
  }

  /** Changes with every addition. */
  get version(): number {
    return this.#version;
  }

  /** Newest first. */
  get list(): readonly Trouble[] {
    return [...this.#seen.values()].toSorted((a, b) => b.last_at - a.last_at);
  }

  /** The fields of a line of the log; one without a code is left out. */
  note(fields: unknown): void {
    if (typeof fields !== "object" || fields === null || !("trouble" in fields)) return;
    const { trouble: code } = fields;
    if (typeof code !== "string") return;
    const at = this.#clock.wallMs();
    const before = this.#seen.get(code);
    this.#add({
      code,
      detail: detailOf(fields),
      count: (before?.count ?? 0) + 1,
      first_at: before?.first_at ?? at,
      last_at: at,
    });
  }

  /** What an earlier process of this worker had seen. */
  remember(earlier: readonly Trouble[]): void {
    for (const old of earlier.toSorted((a, b) => a.last_at - b.last_at)) {
      const now = this.#seen.get(old.code);
      this.#add(now === undefined ? old : { ...now, count: now.count + old.count, first_at: old.first_at });
    }
  }

  #add(trouble: Trouble): void {
    this.#version += 1;
    this.#seen.delete(trouble.code);
    this.#seen.set(trouble.code, trouble);
    if (this.#seen.size <= MOST_TROUBLES) return;
    const oldest = this.list.at(-1);
    if (oldest) this.#seen.delete(oldest.code);
  }
}

/** The reason, as the line gives it, with the watch it concerns. */
function detailOf(fields: object): string {
  const all = fields as Readonly<Record<string, unknown>>;
  const reason = all["reason"] ?? all["detail"] ?? all["err"];
  const words = reason instanceof Error ? reason.message : typeof reason === "string" ? reason : "";
  const watch = typeof all["watch"] === "string" && all["watch"] !== "" ? `watch ${all["watch"]}: ` : "";
  return visibleLine(`${watch}${words}`).slice(0, MOST_DETAIL_CHARS);
}

/** From now on, the warnings and errors of this log that carry a code are kept, whatever its level. */
export function noteTroubles(log: Log, troubles: RecentTroubles): void {
  for (const level of ["warn", "error"] as const) {
    const write = log[level].bind(log) as (fields: unknown, message?: string) => void;
    log[level] = (fields: unknown, message?: string): void => {
      troubles.note(fields);
      write(fields, message);
    };
  }
}
