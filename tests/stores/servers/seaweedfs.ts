/** SeaweedFS in one process: master, volume server, filer and S3 gateway. */
import { mkdirSync, writeFileSync } from "node:fs";
import { SEAWEEDFS } from "../programs.ts";
import { freePort } from "../../../packages/redis-schema/test/free-port.ts";
import { HOST, ServerHome, type StoreServer } from "./store-server.ts";

const KEYS = { accessKeyId: "weed-root", secretAccessKey: "weed-secret" };

export async function startSeaweedFs(): Promise<StoreServer> {
  const home = new ServerHome();
  mkdirSync(home.at("data"));
  const identity = {
    name: "sluice",
    credentials: [{ accessKey: KEYS.accessKeyId, secretKey: KEYS.secretAccessKey }],
    actions: ["Admin", "Read", "List", "Tagging", "Write"],
  };
  writeFileSync(home.at("s3.json"), JSON.stringify({ identities: [identity] }));
  const port = await freePort();
  // Each server has a second port for gRPC, 10,000 above the first unless it is given.
  const ports: Record<string, number> = { "s3.port": port };
  for (const server of ["master", "volume", "filer"]) ports[`${server}.port`] = await freePort();
  for (const server of ["master", "volume", "filer", "s3"]) ports[`${server}.port.grpc`] = await freePort();
  home.launch(SEAWEEDFS.file, [
    "server",
    `-ip=${HOST}`,
    `-ip.bind=${HOST}`,
    `-dir=${home.at("data")}`,
    "-master.volumeSizeLimitMB=64",
    "-volume.max=100",
    "-s3",
    `-s3.config=${home.at("s3.json")}`,
    ...Object.entries(ports).map(([name, value]) => `-${name}=${value}`),
  ]);
  const endpoint = `http://${HOST}:${port}`;
  await home.answers(`${endpoint}/healthz`);
  const day = /-(\d{8})/.exec(SEAWEEDFS.version)?.[1] ?? SEAWEEDFS.version;
  const program = `SeaweedFS (source of ${day})`;
  return { program, endpoint, ...KEYS, [Symbol.asyncDispose]: () => home[Symbol.asyncDispose]() };
}
