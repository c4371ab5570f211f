/** Adobe's S3Mock: S3 on the JVM for tests, without checks of signatures. */
import { join } from "node:path";
import { S3MOCK } from "../programs.ts";
import { freePort } from "../../../packages/redis-schema/test/free-port.ts";
import { HOST, ServerHome, type StoreServer } from "./store-server.ts";

export async function startS3Mock(): Promise<StoreServer> {
  const home = new ServerHome();
  const [port, tls] = [await freePort(), await freePort()];
  const jar = join(S3MOCK.directory, `${S3MOCK.artifact}-${S3MOCK.version}-${S3MOCK.classifier}.jar`);
  home.launch("java", ["-Xmx512m", "-jar", jar, `--http.port=${port}`, `--server.port=${tls}`]);
  const endpoint = `http://${HOST}:${port}`;
  await home.answers(`${endpoint}/favicon.ico`);
  return {
    program: `S3Mock ${S3MOCK.version}`,
    endpoint,
    accessKeyId: "mock",
    secretAccessKey: "mock-secret",
    [Symbol.asyncDispose]: () => home[Symbol.asyncDispose](),
  };
}
