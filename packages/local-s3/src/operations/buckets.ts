/** Bucket operations. Lifecycle documents are stored and returned, but nothing expires. */
import { S3Error } from "../errors.ts";
import { type Handler, xmlReply } from "../http/exchange.ts";
import { children, childText, document, element, malformedXml, parent, parseDocument } from "../xml.ts";
import { isoTime } from "./paging.ts";
import { readXml } from "./xml-body.ts";

export const OWNER = parent("Owner", element("ID", "local-s3"), element("DisplayName", "local-s3"));

export const listBuckets: Handler = (_request, { store }) =>
  xmlReply(
    document(
      "ListAllMyBucketsResult",
      OWNER,
      parent(
        "Buckets",
        ...store.buckets
          .list()
          .map((bucket) =>
            parent(
              "Bucket",
              element("Name", bucket.name),
              element("CreationDate", isoTime(bucket.createdMs)),
            ),
          ),
      ),
    ),
  );

export const createBucket: Handler = async (request, { store, region, nowMs }) => {
  const body = await readXml(request, "optional");
  if (body !== "") {
    const constraint = childText(parseDocument(body, "CreateBucketConfiguration"), "LocationConstraint");
    if (constraint !== undefined && constraint !== region) {
      throw new S3Error(
        "IllegalLocationConstraintException",
        `The ${constraint} location constraint is incompatible; this is ${region}.`,
      );
    }
  }
  await store.buckets.create(request.bucket, nowMs());
  return { status: 200, headers: { location: `/${request.bucket}` } };
};

export const headBucket: Handler = ({ bucket }, { store, region }) => {
  store.buckets.need(bucket);
  return { status: 200, headers: { "x-amz-bucket-region": region } };
};

export const deleteBucket: Handler = async ({ bucket }, { store }) => {
  await store.buckets.remove(bucket);
  return { status: 204 };
};

export const getBucketLocation: Handler = ({ bucket }, { store, region }) => {
  store.buckets.need(bucket);
  // us-east-1 is spelt as the empty string here, as it always was.
  return xmlReply(document("LocationConstraint", region === "us-east-1" ? "" : region));
};

export const getBucketVersioning: Handler = ({ bucket }, { store }) => {
  store.buckets.need(bucket);
  const status = store.objects.versions ? [element("Status", "Enabled")] : [];
  return xmlReply(document("VersioningConfiguration", ...status));
};

export const getBucketLifecycle: Handler = ({ bucket }, { store }) => {
  const { lifecycle } = store.buckets.need(bucket);
  if (lifecycle === undefined) {
    throw new S3Error("NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist", {
      fields: { BucketName: bucket },
    });
  }
  return xmlReply(lifecycle);
};

export const putBucketLifecycle: Handler = async (request, { store }) => {
  store.buckets.need(request.bucket);
  const body = await readXml(request, "digest");
  if (children(parseDocument(body, "LifecycleConfiguration"), "Rule").length === 0) {
    throw malformedXml();
  }
  await store.buckets.setLifecycle(request.bucket, body);
  return { status: 200 };
};

export const deleteBucketLifecycle: Handler = async ({ bucket }, { store }) => {
  await store.buckets.setLifecycle(bucket, null);
  return { status: 204 };
};
