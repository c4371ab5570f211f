/** A port for a server of a test, also one that is stopped and comes back on the same port. */
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";

/**
 * Below the ports that Linux and macOS give to outgoing connections (from 32768 on): there another program's connection,
 * or a client that tries a stopped server again and meets itself, takes the port before the server is back. A node of a
 * Redis Cluster also listens on its port + 10000, which is below them too.
 */
const FROM = 10_000;
const BELOW = 22_000;
const ATTEMPTS = 100;

/** A port of the loopback interface on which nothing listens. Rejects when there is none after 100 tries. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const port = randomInt(FROM, BELOW);
    if (await isFree(port)) return port;
  }
  throw new Error(`${ATTEMPTS} ports between ${FROM} and ${BELOW} were taken: what listens on all of them?`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch {
    return false;
  }
  server.close();
  await once(server, "close");
  return true;
}
