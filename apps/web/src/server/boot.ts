/** Starts what lives as long as the server, and ends it: event streams first, so that the server can close at once. */
import { closeClient } from "@sluice/redis-schema/connection";
import { recordPeers } from "./auth/peer-header.ts";
import { openDoor } from "./door.ts";
import { log, makeHub } from "./hub.ts";
import { makeServer } from "./server.ts";
import { readSettings, SettingsError } from "./settings.ts";

/** sysexits' EX_CONFIG, as the worker ends with wrong settings. */
const EXIT_CONFIG = 78;

export function boot(): void {
  try {
    const hub = makeHub(readSettings(process.env));
    recordPeers();
    openDoor(makeServer(hub));
    const end = () => {
      hub.drain.abort();
      void Promise.all(hub.clients.map(closeClient));
    };
    process.once("SIGTERM", end);
    process.once("SIGINT", end);
    hub.model.run(hub.drain.signal).catch((error: unknown) => {
      // A bug of ours: the pages would show an old picture as if it were live.
      log("error", "the read model ended", { error: error instanceof Error ? error.stack : String(error) });
      process.exit(1);
    });
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    for (const problem of error.problems) log("error", problem);
    process.exit(EXIT_CONFIG);
  }
}
