/** S3ObjectStore keeps the domain's promises on a store that is like AWS, and on those that are not. */
import type { Quirks } from "@sluice/local-s3";
import { objectStoreSuite } from "@sluice/core/testing/object-store-suite";
import { nodeDigests } from "../../core/test/node-digests.ts";
import type { S3Profile } from "../src/profiles.ts";
import { BUCKET, startRig } from "./rig.ts";

const STORES: [name: string, quirks: Quirks, profile: Partial<S3Profile>][] = [
  ["S3ObjectStore on an AWS-like store", {}, {}],
  ["S3ObjectStore with signed payloads", { refuseUnsignedPayload: true }, { unsignedPayload: false }],
  ["S3ObjectStore with part checksums only", {}, { checksum: "per-part" }],
  [
    "S3ObjectStore on a store without checksums and conditions",
    {
      noChecksums: true,
      ignoreConditionalComplete: true,
      ignoreConditionalPut: true,
      nonIdempotentComplete: true,
    },
    {
      checksum: "md5",
      checksumsInComplete: false,
      conditionalComplete: false,
      conditionalPut: false,
      repeatComplete: false,
    },
  ],
  [
    "S3ObjectStore on a store that checks nothing",
    { noChecksums: true },
    { checksum: "off", checksumsInComplete: false },
  ],
  [
    "S3ObjectStore on a store like Ceph",
    { noSuchKeyForUpload: true, refuseUnlistedParts: true, ignoreObjectSize: true, noTrailers: true },
    { objectSizeInComplete: false },
  ],
  ["S3ObjectStore on a store that cannot copy", { noCopy: true }, { copiesRanges: false }],
  [
    "S3ObjectStore on a store that tells nothing of a copied part",
    { noPartChecksumInCopy: true, etagNotMd5: true },
    { etagIsMd5: false },
  ],
  [
    "S3ObjectStore on a store like RustFS behind a narrow policy",
    { listUploadsExactKeyOnly: true, head403OnMissing: true, etagNotMd5: true },
    { listsUploadsByPrefix: false, headMissingIs404: false, etagIsMd5: false },
  ],
];

for (const [name, quirks, profile] of STORES) {
  objectStoreSuite(name, async () => {
    const rig = await startRig({ quirks, profile });
    return {
      store: rig.store,
      bucket: BUCKET,
      digests: nodeDigests,
      close: async () => await rig[Symbol.asyncDispose](),
    };
  });
}
