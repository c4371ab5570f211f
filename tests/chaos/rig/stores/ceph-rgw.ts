/** One Ceph RGW for the whole run, since it takes half a minute to come up; its memory is given back round by round. */
import { call, listKeys, listUploads, type Target } from "../../auditor/bucket.ts";
import { bringDebian, CEPH } from "../../../stores/programs.ts";
import { startCephRgw } from "../../../stores/servers/ceph-rgw.ts";
import type { Place, Store } from "./store.ts";

export async function startCephStore(): Promise<Store> {
  const missing = await bringDebian(CEPH, process.env);
  if (missing !== undefined) throw new Error(`Ceph RGW cannot be had here: ${missing}`);
  const server = await startCephRgw();
  let buckets = 0;
  return {
    async open(quirks = []): Promise<Place> {
      if (quirks.length > 0) throw new Error(`Ceph RGW knows no quirks such as ${quirks.join(", ")}`);
      buckets += 1;
      const { endpoint, accessKeyId, secretAccessKey } = server;
      const target = { endpoint, accessKeyId, secretAccessKey, bucket: `chaos-${buckets}` };
      await asked(target, "PUT", "");
      return { target, [Symbol.asyncDispose]: () => empty(target) };
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

async function empty(target: Target): Promise<void> {
  for (const { key, uploadId } of await listUploads(target)) await asked(target, "DELETE", key, { uploadId });
  for (const key of await listKeys(target)) await asked(target, "DELETE", key);
  await asked(target, "DELETE", "");
}

async function asked(
  target: Target,
  method: string,
  key: string,
  query: Readonly<Record<string, string>> = {},
): Promise<void> {
  const { status } = await call(target, method, key, query);
  if (status >= 300) throw new Error(`${method} /${target.bucket}/${key}: ${status}`);
}
