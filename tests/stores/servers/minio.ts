/** MinIO's last source, on one directory. Its repository is archived; many installations of it are not. */
import { mkdirSync } from "node:fs";
import { MINIO } from "../programs.ts";
import { freePort } from "../../../packages/redis-schema/test/free-port.ts";
import { HOST, ServerHome, type StoreServer } from "./store-server.ts";

const KEYS = { accessKeyId: "minio-root", secretAccessKey: "minio-secret" };

export async function startMinio(): Promise<StoreServer> {
  const home = new ServerHome();
  const [port, console] = [await freePort(), await freePort()];
  mkdirSync(home.at("objects"));
  home.launch(
    MINIO.file,
    ["server", "--address", `${HOST}:${port}`, "--console-address", `${HOST}:${console}`, home.at("objects")],
    { MINIO_ROOT_USER: KEYS.accessKeyId, MINIO_ROOT_PASSWORD: KEYS.secretAccessKey, MINIO_BROWSER: "off" },
  );
  const endpoint = `http://${HOST}:${port}`;
  await home.answers(`${endpoint}/minio/health/ready`);
  // "v0.0.0-20260212201848-7aac2a2c5b7c": a day says more.
  const day = /-(\d{8})/.exec(MINIO.version)?.[1] ?? MINIO.version;
  const program = `MinIO (source of ${day})`;
  return { program, endpoint, ...KEYS, [Symbol.asyncDispose]: () => home[Symbol.asyncDispose]() };
}
