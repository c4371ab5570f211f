/** One finding: what was seen, and what to do about it. Ids never change, so scripts may rely on them. */
export const SEVERITIES = ["error", "warning", "info", "ok"] as const;
export type Severity = (typeof SEVERITIES)[number];

export interface Finding {
  id: string;
  severity: Severity;
  /** A sentence with names and numbers. */
  seen: string;
  /** What to do; absent if no action is needed. */
  remedy?: string;
}

export function ok(id: string, seen: string): Finding {
  return { id, severity: "ok", seen };
}

export function finding(id: string, severity: Severity, seen: string, remedy?: string): Finding {
  return { id, severity, seen, ...(remedy === undefined ? {} : { remedy }) };
}
