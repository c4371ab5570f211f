/** moto's server: AWS in Python for tests, everything in memory. */
import { MOTO } from "../programs.ts";
import { freePort } from "../../../packages/redis-schema/test/free-port.ts";
import { HOST, ServerHome, type StoreServer } from "./store-server.ts";

export async function startMoto(): Promise<StoreServer> {
  const home = new ServerHome();
  const port = await freePort();
  home.launch(MOTO.python, ["-m", "moto.server", "--host", HOST, "--port", String(port)]);
  const endpoint = `http://${HOST}:${port}`;
  await home.answers(`${endpoint}/moto-api/`);
  return {
    program: `moto ${MOTO.version}`,
    endpoint,
    accessKeyId: "moto",
    secretAccessKey: "moto-secret",
    [Symbol.asyncDispose]: () => home[Symbol.asyncDispose](),
  };
}
