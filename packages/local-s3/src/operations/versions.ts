/** ListObjectVersions, for the quirk that keeps them: one page of all. */
import { type Handler, xmlReply } from "../http/exchange.ts";
import { document, element, parent } from "../xml.ts";
import { S3Error } from "../errors.ts";
import { quoted } from "./conditions.ts";
import { isoTime, keyEncoding } from "./paging.ts";

export const listObjectVersions: Handler = ({ bucket, query }, { store }) => {
  store.buckets.need(bucket);
  const { versions } = store.objects;
  if (!versions)
    throw new S3Error("NotImplemented", "GET with ?versions is not implemented by this endpoint.");
  const encoding = keyEncoding(query);
  const prefix = query.get("prefix") ?? "";
  return xmlReply(
    document(
      "ListVersionsResult",
      element("Name", bucket),
      element("Prefix", encoding.encode(prefix)),
      element("EncodingType", encoding.type),
      element("IsTruncated", false),
      ...versions
        .list(bucket, prefix)
        .map(({ key, id, modifiedMs, latest, object }) =>
          parent(
            object ? "Version" : "DeleteMarker",
            element("Key", encoding.encode(key)),
            element("VersionId", id),
            element("IsLatest", latest),
            element("LastModified", isoTime(modifiedMs)),
            ...(object ? [element("ETag", quoted(object.etag)), element("Size", object.size)] : []),
          ),
        ),
    ),
  );
};
