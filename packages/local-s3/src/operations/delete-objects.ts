/** DeleteObject and DeleteObjects: deleting what is not there is success, as in S3. */
import { type Handler, xmlReply } from "../http/exchange.ts";
import { LIMITS } from "../limits.ts";
import { children, childText, document, element, malformedXml, parent, parseDocument } from "../xml.ts";
import { isConditional, writeGuard } from "./conditions.ts";
import { readXml } from "./xml-body.ts";

export const deleteObject: Handler = async ({ bucket, key, headers }, { store }) => {
  store.buckets.need(bucket);
  const guard = writeGuard(headers, key);
  await store.objects.remove(bucket, key, isConditional(headers) ? guard : () => {});
  return { status: 204 };
};

export const deleteObjects: Handler = async (request, { store }) => {
  store.buckets.need(request.bucket);
  const root = parseDocument(await readXml(request, "digest"), "Delete");
  const keys = children(root, "Object").map((object) => childText(object, "Key"));
  if (
    keys.length === 0 ||
    keys.length > LIMITS.maxDeletePerRequest ||
    keys.some((key) => key === undefined || key === "")
  ) {
    throw malformedXml();
  }
  const quiet = childText(root, "Quiet") === "true";
  const deleted: string[] = [];
  for (const key of keys) {
    if (key === undefined) continue;
    await store.objects.remove(request.bucket, key, () => {});
    deleted.push(parent("Deleted", element("Key", key)));
  }
  return xmlReply(document("DeleteResult", ...(quiet ? [] : deleted)));
};
