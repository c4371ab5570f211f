/**
 * How pages and routes reach the server: instrumentation creates it once and stores it on globalThis. They import only
 * its types, so there is one copy of the server's code and state in the process, however Next bundles the pages.
 */
import type { Server } from "./server.ts";

const shared = globalThis as { sluiceServer?: Server };

export function setServer(server: Server): void {
  shared.sluiceServer = server;
}

export function server(): Server {
  if (shared.sluiceServer === undefined)
    throw new Error("a page was requested before the server was started");
  return shared.sluiceServer;
}
