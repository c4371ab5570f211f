/** A store that runs already, named by environment variables: the suite makes buckets of its own there, and removes them. */
import { Bucket } from "../../../apps/worker/test/rig/bucket.ts";
import type { StoreServer } from "./store-server.ts";

export const ENDPOINT_VARIABLE = "STORE_ENDPOINT";
const SECRET_VARIABLES = ["STORE_ACCESS_KEY_ID", "STORE_SECRET_ACCESS_KEY"] as const;

/** Why it cannot be had. */
export function missingVariables(env: NodeJS.ProcessEnv): string | undefined {
  const missing = SECRET_VARIABLES.filter((name) => !env[name]);
  if (missing.length > 0) return `set ${missing.join(" and ")} for ${env[ENDPOINT_VARIABLE]}`;
  return URL.canParse(env[ENDPOINT_VARIABLE] ?? "")
    ? undefined
    : `${ENDPOINT_VARIABLE}=${env[ENDPOINT_VARIABLE]} is not a URL such as https://s3.example.com`;
}

export function yourServer(env: NodeJS.ProcessEnv): StoreServer {
  const [accessKeyId = "", secretAccessKey = ""] = SECRET_VARIABLES.map((name) => env[name]);
  const endpoint = env[ENDPOINT_VARIABLE] ?? "";
  const region = env["STORE_REGION"] ?? "us-east-1";
  // Names of buckets are shared by all users of a store.
  const bucketPrefix = env["STORE_BUCKET_PREFIX"] ?? `sluice-check-${Date.now().toString(36)}-`;
  return {
    program: endpoint,
    endpoint,
    accessKeyId,
    secretAccessKey,
    region,
    bucketPrefix,
    checksHost: true,
    async [Symbol.asyncDispose]() {
      for (const name of ["conformance", "recordings"]) {
        const bucket = new Bucket({
          endpoint,
          region,
          bucket: `${bucketPrefix}${name}`,
          accessKeyId,
          secretAccessKey,
        });
        for (const { key, uploadId } of await bucket.openUploads()) await bucket.abort(key, uploadId);
        for (const key of await bucket.keys()) await bucket.remove(key);
        await bucket.removeBucket();
      }
    },
  };
}
