/** `@aws-sdk/lib-storage`'s Upload with four parts of 8 MiB in flight. Arguments: endpoint, file. */
import { createReadStream } from "node:fs";
import { S3Client } from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { CREDENTIALS } from "../rig/credentials.ts";

const [, , endpoint = "", path = ""] = process.argv;
const client = new S3Client({
  endpoint,
  region: CREDENTIALS.AWS_REGION,
  forcePathStyle: true,
  credentials: {
    accessKeyId: CREDENTIALS.AWS_ACCESS_KEY_ID,
    secretAccessKey: CREDENTIALS.AWS_SECRET_ACCESS_KEY,
  },
});
const params = { Bucket: "bench", Key: "lib-storage", Body: createReadStream(path) };
await new Upload({ client, params, partSize: 8 * 1024 * 1024, queueSize: 4 }).done();
