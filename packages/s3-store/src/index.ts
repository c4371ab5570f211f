/** The public API of the S3 object store: connect, probe, use. */
export { connectS3, type S3Connection } from "./connection.ts";
export { S3ObjectStore } from "./object-store.ts";
export { BucketGuard } from "./bucket-guard.ts";
export { publicAddresses, type PublicAddresses } from "./public-addresses.ts";
export { confirmAnswers, probeStore, type ProbeOptions, type StoreAnswers } from "./probe.ts";
export { namedProfile, notesOf, type NamedStore, type S3Profile } from "./profiles.ts";
