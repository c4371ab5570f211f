/** The embedded endpoint, held to the same as the others. */
import { startLocalS3 } from "@sluice/local-s3";
import { ServerHome, type StoreServer } from "./store-server.ts";

const KEYS = { accessKeyId: "local-root", secretAccessKey: "local-secret/+=" };

export async function startLocal(): Promise<StoreServer> {
  const home = new ServerHome();
  const server = await startLocalS3({ dir: home.at("s3"), credentials: KEYS, fsync: false });
  return {
    program: "local-s3 (embedded)",
    endpoint: server.url,
    ...KEYS,
    // It would take any host: so the way of a store that does not is tried for every change, with signatures verified.
    checksHost: true,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await home[Symbol.asyncDispose]();
    },
  };
}
