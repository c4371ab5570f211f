/** What may happen in a history, as data and in words. */
import { StoreError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { PART } from "./test-values.ts";

export type Action =
  | { do: "append"; file: string; bytes: number; seed: number }
  | { do: "rewrite"; file: string; at: number; seed: number }
  | { do: "truncate"; file: string; to: number }
  | { do: "replace"; file: string; bytes: number; seed: number }
  | { do: "rename"; file: string; to: string }
  | { do: "delete" | "touch" | "mark" | "hold" | "let go" | "finalize"; file: string }
  | { do: "unmount" | "mount" | "drop uploads" | "kill" | "kill, last write lost" | "take over" | "drain" }
  | { do: "store fails"; op: string; how: StoreFault; times: number }
  | { do: "redis fails"; when: "before" | "after"; times: number }
  | { do: "reads fail"; times: number }
  | { do: "step wall clock"; ms: number }
  | { do: "pass"; ms: number };

export type StoreFault = "not reached" | "answer lost" | "throttled" | "garbled";

export function describeAction(action: Action): string {
  const { do: what, ...rest } = action;
  const words = Object.entries(rest).map(([name, value]) =>
    name === "file" ? String(value) : `${name} ${String(value)}`,
  );
  return [what, ...words].join(" ");
}

export function storeError(how: StoreFault): StoreError {
  const outcomeUnknown = how === "not reached" || how === "answer lost";
  if (how === "throttled") {
    return new StoreError({
      trouble: "throttled",
      code: "SlowDown",
      message: "slow down",
      retryAfterMs: LIMITS.retryFirstMs,
    });
  }
  if (how === "garbled") return new StoreError({ trouble: "garbled", code: "BadDigest", message: "differs" });
  return new StoreError({ trouble: "unreachable", code: "ECONNRESET", message: how, outcomeUnknown });
}

export const SIZES = { crumb: 4_321, part: PART, more: PART + 1_000_001 } as const;
