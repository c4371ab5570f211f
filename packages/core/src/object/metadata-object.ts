/**
 * What exists at the name of a stream's metadata object. A user's file may have that very name: only JSON that this
 * program wrote to describe an object is ever replaced.
 */
import { StoreError } from "../errors.ts";
import { metadataKey } from "./object-key.ts";
import { displayPath } from "../stream/raw-path.ts";
import type { ObjectRef, StoredObject } from "../ports/object-store.ts";
import type { StreamRecord } from "../stream/record.ts";
import type { ProcessorDeps } from "../flow/dependencies.ts";
import {
  FILE_HEADER,
  PATH_HEADER,
  STREAM_ID_HEADER,
  fileToken,
  headObject,
  RECOGNISED,
} from "./object-headers.ts";
import type { ObjectContext } from "./context.ts";

/** `own`: this stream's, the same bytes. `ours`: of an earlier stream, which this one's replaces. */
export type ExistingMetadata = "free" | "own" | "ours" | "foreign";

type File = Parameters<typeof fileToken>[1];

export async function existingMetadata(
  context: ObjectContext,
  ref: ObjectRef,
  file: File,
): Promise<ExistingMetadata> {
  const { held, rules, deps } = context;
  const { record } = held;
  const head = await headObject(context, ref);
  if (head.kind !== "found") return "free";
  const { [STREAM_ID_HEADER]: id, [FILE_HEADER]: token } = head.object.metadata;
  if (id === record.id) return "own";
  const described = await describedPath(context, ref, head.object);
  if (described === undefined) return "foreign";
  const sameFile = token === fileToken(record.source, file, deps.digests.hash);
  // Next to an object that was recognized, or replaced after its file was copied back: it describes that very object.
  if (record.verify_result === RECOGNISED || record.supersedes !== undefined) return "ours";
  if (sameFile || id === record.supersedes || rules.onConflict === "overwrite") return "ours";
  const replaces = rules.onReplace === "replace" && described === pathToken(record, deps);
  return replaces ? "ours" : "foreign";
}

/** Whether the object is our own JSON that describes another one. */
export async function isDescription(context: ObjectContext, ref: ObjectRef): Promise<boolean> {
  const head = await headObject(context, ref);
  return head.kind === "found" && (await describedPath(context, ref, head.object)) !== undefined;
}

/**
 * For SLUICE_ON_REPLACE=replace: whether the object is our own earlier one of this stream's path, according to its
 * record or its metadata object. An object without either, or of another path, source or program, is never replaced.
 */
export async function isEarlierOfPath(
  context: ObjectContext,
  ref: ObjectRef,
  object: StoredObject,
): Promise<boolean> {
  const { held, rules, deps } = context;
  const id = object.metadata[STREAM_ID_HEADER];
  if (rules.onReplace !== "replace" || id === undefined) return false;
  const { original_path: path } = held.record;
  const keepsObject = async (): Promise<boolean> => (await deps.volume.keepsObject?.(ref, path)) ?? false;
  if (await held.persistently(keepsObject)) return false;
  if (id === held.record.supersedes) return true;
  const beside = await findBeside(context, ref, ({ metadata }) => metadata[STREAM_ID_HEADER] === id);
  return (
    beside !== undefined &&
    (await describedPath(context, beside.ref, beside.object)) === pathToken(held.record, deps)
  );
}

/** The metadata object of an object, skipping other programs' objects; undefined if none of its names has it. */
export async function findBeside(
  context: ObjectContext,
  { bucket, key }: ObjectRef,
  is: (object: StoredObject) => boolean,
): Promise<{ ref: ObjectRef; object: StoredObject } | undefined> {
  for (let number = 1; number <= MOST_BESIDE; number += 1) {
    const ref = { bucket, key: metadataKey(key, number) };
    const head = await headObject(context, ref);
    if (head.kind !== "found") return undefined;
    if (is(head.object)) return { ref, object: head.object };
  }
  return undefined;
}

/** Other programs' objects at the names of a metadata object are rare; at most this many are skipped. */
const MOST_BESIDE = 8;

export function pathToken(
  { source, original_path }: Pick<StreamRecord, "source" | "original_path">,
  { digests }: Pick<ProcessorDeps, "digests">,
): string {
  return tokenOf(source, displayPath(original_path), digests);
}

function tokenOf(source: string, shownPath: string, digests: ProcessorDeps["digests"]): string {
  return digests.hash(`${source}\n${shownPath}`);
}

/** The path token of our own metadata object; undefined for any other object, such as a user's file of that name. */
async function describedPath(
  context: ObjectContext,
  ref: ObjectRef,
  object: StoredObject,
): Promise<string | undefined> {
  const { [STREAM_ID_HEADER]: id, [PATH_HEADER]: token } = object.metadata;
  if (id === undefined || token !== undefined) return id === undefined ? undefined : token;
  // Early versions set no such header: the text itself says whether its stream describes itself.
  if (object.size > MOST_BYTES) return undefined;
  const { deps, store, signal } = context;
  const chunks = await store.ask("GetObject", () => readIfThere(deps.store.read(ref)), signal);
  const written = describes(new TextDecoder().decode(joined(chunks)));
  return written?.streamId === id ? tokenOf(written.source, written.path, deps.digests) : undefined;
}

async function readIfThere(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  try {
    return await Array.fromAsync(chunks);
  } catch (error) {
    if (error instanceof StoreError && error.status === 404) return []; // removed since HeadObject saw it
    throw error;
  }
}

/** A metadata object of 10,000 parts has about 2 MiB. */
const MOST_BYTES = 16 * 1024 * 1024;

function describes(text: string): { streamId: string; source: string; path: string } | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) return undefined;
    const { format, stream_id: streamId, source, path } = value as Record<string, unknown>;
    const ours = typeof format === "string" && format.startsWith("sluice/metadata/");
    if (!ours || typeof streamId !== "string" || typeof source !== "string" || typeof path !== "string")
      return undefined;
    return { streamId, source, path };
  } catch {
    return undefined; // not JSON: another program's object
  }
}

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
