/** Settings in which workers of one source differ: seldom meant, and hard to notice. Pure. */
import type { ReportedSetting } from "@sluice/redis-schema/records/worker-report";

/** One worker each has its own. */
const MAY_DIFFER = new Set(["SLUICE_WORKER_ID", "SLUICE_HTTP_HOST", "SLUICE_HTTP_PORT"]);

export interface WorkerSettings {
  id: string;
  settings: readonly ReportedSetting[];
}

/** Another worker's value; absent: it is not set there. */
export interface OtherValue {
  worker: string;
  value?: string;
}

/** By name, the values of the others that are not the same. Of secrets nobody knows whether they are. */
export function settingDifferences(
  own: readonly ReportedSetting[],
  others: readonly WorkerSettings[],
): ReadonlyMap<string, readonly OtherValue[]> {
  const mine = new Map(own.map(({ name, value }) => [name, value]));
  const found = new Map<string, OtherValue[]>();
  for (const { id, settings } of others) {
    const theirs = new Map(settings.map(({ name, value }) => [name, value]));
    for (const name of new Set([...mine.keys(), ...theirs.keys()])) {
      const value = theirs.get(name);
      if (MAY_DIFFER.has(name) || mine.get(name) === value) continue;
      const known = found.get(name) ?? [];
      found.set(name, [...known, { worker: id, ...(value === undefined ? {} : { value }) }]);
    }
  }
  return found;
}
