/** S3Proxy on a directory: what it fronts in production is another cloud's store. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { S3PROXY } from "../programs.ts";
import { freePort } from "../../../packages/redis-schema/test/free-port.ts";
import { HOST, ServerHome, type StoreServer } from "./store-server.ts";

const KEYS = { accessKeyId: "proxy-root", secretAccessKey: "proxy-secret" };

export async function startS3Proxy(): Promise<StoreServer> {
  const home = new ServerHome();
  const port = await freePort();
  const endpoint = `http://${HOST}:${port}`;
  mkdirSync(home.at("objects"));
  const settings = {
    "s3proxy.endpoint": endpoint,
    "s3proxy.authorization": "aws-v2-or-v4",
    "s3proxy.identity": KEYS.accessKeyId,
    "s3proxy.credential": KEYS.secretAccessKey,
    "jclouds.provider": "filesystem-nio2",
    "jclouds.filesystem.basedir": home.at("objects"),
    "jclouds.identity": "unused",
    "jclouds.credential": "unused",
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
  writeFileSync(home.at("s3proxy.conf"), `${lines.join("\n")}\n`);
  const classes = join(S3PROXY.directory, "*");
  const program = ["-Xmx512m", "-cp", classes, "org.gaul.s3proxy.Main", "--properties", "s3proxy.conf"];
  // A JVM takes the encoding of file names from its locale.
  home.launch("java", program, { LC_ALL: "C.UTF-8" });
  await home.answers(endpoint);
  return {
    program: `S3Proxy ${S3PROXY.version}`,
    endpoint,
    ...KEYS,
    [Symbol.asyncDispose]: () => home[Symbol.asyncDispose](),
  };
}
