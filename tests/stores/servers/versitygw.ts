/** VersityGW on a directory; metadata lies beside the objects where the file system has no extended attributes. */
import { mkdirSync } from "node:fs";
import { VERSITYGW } from "../programs.ts";
import { freePort } from "../../../packages/redis-schema/test/free-port.ts";
import { HOST, ServerHome, type StoreServer } from "./store-server.ts";

const KEYS = { accessKeyId: "versity-root", secretAccessKey: "versity-secret/+=" };

export async function startVersityGw(): Promise<StoreServer> {
  const home = new ServerHome();
  mkdirSync(home.at("objects"));
  mkdirSync(home.at("metadata"));
  const port = await freePort();
  home.launch(
    VERSITYGW.file,
    [
      "--port",
      `${HOST}:${port}`,
      "--health",
      "/health",
      "posix",
      "--sidecar",
      home.at("metadata"),
      home.at("objects"),
    ],
    { ROOT_ACCESS_KEY: KEYS.accessKeyId, ROOT_SECRET_KEY: KEYS.secretAccessKey, VGW_REGION: "us-east-1" },
  );
  const endpoint = `http://${HOST}:${port}`;
  await home.answers(`${endpoint}/health`);
  const program = `VersityGW ${VERSITYGW.version}`;
  return { program, endpoint, ...KEYS, [Symbol.asyncDispose]: () => home[Symbol.asyncDispose]() };
}
