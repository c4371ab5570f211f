/** DeleteObject and DeleteObjects: deleting a missing object is success, as in S3. */
import { S3Error } from "../errors.ts";
import { type Handler, type Reply, xmlReply } from "../http/exchange.ts";
import { LIMITS } from "../limits.ts";
import { children, childText, document, element, malformedXml, parent, parseDocument } from "../xml.ts";
import type { Store } from "../store/store.ts";
import { isConditional, writeGuard } from "./conditions.ts";
import { readXml } from "./xml-body.ts";

export const deleteObject: Handler = async ({ bucket, key, query, headers }, { store, nowMs }) => {
  store.buckets.need(bucket);
  const versionId = query.get("versionId");
  if (versionId !== undefined) return await deleteVersion(store, bucket, key, versionId);
  const guard = writeGuard(headers, key);
  await store.objects.remove(bucket, key, isConditional(headers) ? guard : () => {}, nowMs());
  const marker = store.objects.versionId(bucket, key);
  return { status: 204, headers: marker === undefined ? {} : markerHeaders(marker) };
};

async function deleteVersion(store: Store, bucket: string, key: string, id: string): Promise<Reply> {
  if (!store.objects.versions) {
    throw new S3Error("NotImplemented", "DELETE with ?versionId is not implemented by this endpoint.");
  }
  const removed = await store.objects.removeVersion(bucket, key, id);
  const isMarker = removed !== undefined && removed.object === undefined;
  return { status: 204, headers: isMarker ? markerHeaders(id) : { "x-amz-version-id": id } };
}

const markerHeaders = (id: string): Record<string, string> => ({
  "x-amz-delete-marker": "true",
  "x-amz-version-id": id,
});

export const deleteObjects: Handler = async (request, { store, nowMs }) => {
  store.buckets.need(request.bucket);
  const root = parseDocument(await readXml(request, "digest"), "Delete");
  const wanted = children(root, "Object").map((object) => ({
    key: childText(object, "Key") ?? "",
    etag: childText(object, "ETag")?.trim(),
  }));
  if (
    wanted.length === 0 ||
    wanted.length > LIMITS.maxDeletePerRequest ||
    wanted.some(({ key }) => key === "")
  ) {
    throw malformedXml();
  }
  const quiet = childText(root, "Quiet") === "true";
  const results: string[] = [];
  for (const { key, etag } of wanted) {
    const guard = etag === undefined ? () => {} : writeGuard({ "if-match": etag }, key);
    const refusal = await refusalOf(() => store.objects.remove(request.bucket, key, guard, nowMs()));
    if (refusal !== undefined) results.push(notDeleted(key, refusal));
    else if (!quiet) results.push(parent("Deleted", element("Key", key)));
  }
  return xmlReply(document("DeleteResult", ...results));
};

/** The condition of one object affects only that object. */
async function refusalOf(work: () => Promise<void>): Promise<S3Error | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (error instanceof S3Error && (error.status === 412 || error.status === 404)) return error;
    throw error;
  }
}

const notDeleted = (key: string, { code, message }: S3Error): string =>
  parent("Error", element("Key", key), element("Code", code), element("Message", message));
