/** What the tests of foreign stores have in common. */
import { randomBytes } from "node:crypto";
import { appendFileSync } from "node:fs";
import { audit } from "../audit.ts";
import { PART, writeWhole, type Rig } from "../rig.ts";

/** A file of one full part and a tail. */
export const LARGE = PART + 1_000;

/** Requests of one operation on one key so far. */
export function count(rig: Rig, operation: string, key: string): number {
  return rig.requests.filter((entry) => entry.operation === operation && entry.key === key).length;
}

/** Completes a file, lets it grow and waits until the longer one has replaced it. */
export async function growAfterCompletion(rig: Rig, name: string): Promise<void> {
  const path = writeWhole(rig, name, randomBytes(LARGE));
  const first = await rig.completed(path);
  appendFileSync(path, randomBytes(2_000));
  await rig.completed(path, { not: first.id });
  await audit(rig, [{ path, key: name }]);
}
