/**
 * A question of the probe is a row: the request, how the answer is read, which fields of the profile it decides. The
 * rows of a stage are run from top to bottom, and each gets the results of the rows before it. docs/reference/stores.md lists
 * them all, and a test checks that each field of the profile has one.
 *
 *   SERVER, PUT (probe-objects.ts)     one small object, written again and again at one key
 *   LISTINGS (probe-uploads.ts)        an open upload, which is aborted at the end
 *   COMPLETE                           uploads of one byte: for each checksum mode, the best first, until one holds
 *   REHEARSAL                          one upload in the way the worker does it
 *   BUCKET (probe-bucket.ts)           its rules
 */
import type { Tried } from "./probe-session.ts";
import type { S3Profile } from "./profiles.ts";

export interface Question<Scene, Answers> {
  name: string;
  asks: string;
  reads: string;
  /** Fields of the profile. A row without any decides whether the store can be used at all. */
  decides: readonly (keyof S3Profile)[];
  ask(scene: Scene, soFar: Readonly<Answers>): Promise<Partial<Answers>> | Partial<Answers>;
}

/** `cautious`: the values of fields that could not be determined. */
export async function askAll<Scene, Answers extends object>(
  questions: readonly Question<Scene, Answers>[],
  scene: Scene,
  cautious: Answers,
): Promise<Answers> {
  const answers = { ...cautious };
  for (const question of questions) Object.assign(answers, await question.ask(scene, answers));
  return answers;
}

/** 412 as S3 sends it; some stores send 304 or another 3xx. */
export function isConditionRefused(tried: Tried<unknown>): boolean {
  if (tried.ok) return false;
  const { status = 0 } = tried.refusal;
  return status === 412 || status === 409 || (status >= 300 && status < 400);
}

type Head = Tried<{ Metadata?: Record<string, string> | undefined }>;

export function bearsMetadata(found: Head): boolean {
  return found.ok && found.reply.Metadata?.["sluice-stream-id"] !== undefined;
}
