/**
 * How pages and routes reach the server: instrumentation makes it once and leaves it on globalThis. They import its types
 * only, so there is one copy of the server's code and state in the process, whatever bundles Next makes of the pages.
 */
import type { Server } from "./server.ts";

const shared = globalThis as { sluiceServer?: Server };

export function setServer(server: Server): void {
  shared.sluiceServer = server;
}

export function server(): Server {
  if (shared.sluiceServer === undefined)
    throw new Error("a page was asked for before the server was started");
  return shared.sluiceServer;
}
