/** The headers that identify our objects, and the request that reads them. */
import type { Head, ObjectRef } from "../ports/object-store.ts";
import { fileTokenText, type FileFacts } from "../stream/identity.ts";
import type { ProcessorDeps } from "../flow/dependencies.ts";
import type { ObjectContext } from "./context.ts";

export const STREAM_ID_HEADER = "sluice-stream-id";
export const FILE_HEADER = "sluice-file";
/** Only on metadata objects: the hash of source and path of the file they describe, which is final by then. */
export const PATH_HEADER = "sluice-path";

export async function headObject(context: ObjectContext, ref: ObjectRef): Promise<Head> {
  const { store, deps, signal } = context;
  return await store.ask("HeadObject", () => deps.store.head(ref), signal);
}

export function fileToken(
  source: string,
  facts: Pick<FileFacts, "inode" | "birthtimeNs">,
  hash: ProcessorDeps["digests"]["hash"],
): string {
  return hash(fileTokenText(source, facts));
}

/** `verify_result` of a stream whose object already existed with the file's bytes. */
export const RECOGNISED = "recognised";
